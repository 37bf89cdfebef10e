from __future__ import annotations

from typing import Any

import icmplib
import pytest

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.sources import SourceFailedError, ping


@pytest.fixture
def may_ping() -> None:
    try:
        ping._open("127.0.0.1").close()
    except SourceFailedError as error:
        pytest.skip(str(error))


def value(reading: Reading, name: str) -> float | None:
    metric = reading.metric(name)
    assert metric is not None, name
    return metric.value


@pytest.mark.usefixtures("may_ping")
async def test_a_machine_that_answers(read: Any) -> None:
    reading = await read("ping", host="localhost", family="ipv4", count=3, pause_seconds=0.01)
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("loss") == Metric("loss", 0.0, "percent")
    assert value(reading, "packets.sent") == value(reading, "packets.received") == 3
    assert 0 < value(reading, "latency.min") <= value(reading, "latency") <= value(reading, "latency.max")
    assert value(reading, "jitter") is not None


@pytest.mark.parametrize(
    ("unreachable", "problem"),
    [(False, "No answer"), (True, "No way to the machine: destination host unreachable")],
)
@pytest.mark.usefixtures("may_ping")
async def test_a_machine_that_does_not_answer(
    read: Any, monkeypatch: pytest.MonkeyPatch, unreachable: bool, problem: str
) -> None:
    # No address is surely nobody's: some networks answer for all.
    async def receive(self: Any, request: Any, seconds: float) -> icmplib.ICMPReply:
        if not unreachable:
            raise icmplib.TimeoutExceeded(seconds)
        router = {"source": "192.0.2.254", "family": 4, "type": 3, "code": 1, "bytes_received": 36, "time": 0.0}
        return icmplib.ICMPReply(id=request.id, sequence=request.sequence, **router)

    monkeypatch.setattr(icmplib.AsyncSocket, "receive", receive)
    reading = await read("ping", host="127.0.0.1", count=2, pause_seconds=0.01)
    assert (reading.status, reading.message) == (Status.DOWN, problem)
    assert reading.metric("loss") == Metric("loss", 100.0, "percent")
    assert reading.metric("latency") == Metric("latency", None, "seconds")
    assert value(reading, "packets.received") == 0


@pytest.mark.usefixtures("may_ping")
async def test_a_slow_answer_degrades(read: Any) -> None:
    reading = await read("ping", host="127.0.0.1", count=1, slow_seconds=1e-9)
    assert reading.status is Status.DEGRADED
    assert reading.message == "The answer takes longer than 1e-06 ms"
    assert value(reading, "jitter") is None


@pytest.mark.parametrize(("allowed", "status"), [(0, Status.DEGRADED), (40, Status.UP)])
@pytest.mark.usefixtures("may_ping")
async def test_lost_pings_degrade(read: Any, monkeypatch: pytest.MonkeyPatch, allowed: float, status: Status) -> None:
    receive = icmplib.AsyncSocket.receive

    async def lose_the_second(self: Any, request: Any, seconds: float) -> Any:
        if request.sequence == 1:
            raise icmplib.TimeoutExceeded(seconds)
        return await receive(self, request, seconds)

    monkeypatch.setattr(icmplib.AsyncSocket, "receive", lose_the_second)
    reading = await read("ping", host="127.0.0.1", count=3, pause_seconds=0.01, loss_percent=allowed)
    assert reading.status is status
    assert reading.message == ("33 % of the pings got lost" if status is Status.DEGRADED else "")


async def test_an_unknown_name(read: Any) -> None:
    reading = await read("ping", host="nowhere.invalid")
    assert (reading.status, reading.message) == (Status.DOWN, "The host name is unknown")
    assert value(reading, "loss") is None


async def test_a_system_that_forbids_pings_is_told(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(self: Any, address: str | None = None, privileged: bool = True) -> None:
        self._sock = None
        raise icmplib.SocketPermissionError(privileged)

    monkeypatch.setattr(icmplib.sockets.ICMPSocket, "__init__", forbid)
    with pytest.raises(SourceFailedError, match="NET_RAW"):
        await read("ping", host="127.0.0.1")
