from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError
from app.bot.infrastructure.sources import Resources, SourceFailedError
from app.shared.yaml import read_yaml
from tests.support.local_servers import Authority
from tests.support.programs.monitoring import UPS
from tests.support.services import HOST, ROOT, Service, free_port


@asynccontextmanager
async def upsd(*variables: str, names: tuple[str, ...] = ("rack",), **answers: str) -> AsyncIterator[int]:
    """A server that speaks the protocol; `answers` replaces what it says to a command."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0]
            if word in answers:
                answer = answers[word]
            elif line == "LIST UPS":
                listed = "".join(f'UPS {name} "Made \\"up\\""\n' for name in names)
                answer = f"BEGIN LIST UPS\n{listed}END LIST UPS\n"
            elif word == "LIST":
                name = line.split()[2]
                told = "".join(f"VAR {name} {variable}\n" for variable in variables)
                answer = f"BEGIN LIST VAR {name}\n{told}END LIST VAR {name}\n"
            else:
                answer = "OK\n"
            writer.write(answer.encode())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def status_of(read: Any, status: str, *more: str) -> tuple[Status, str]:
    async with upsd(f'ups.status "{status}"', *more) as port:
        reading = await read("ups", host=HOST, port=port)
    return reading.status, reading.message


async def test_a_real_server_tells_of_its_ups(read: Any, resources: Resources, nut: Service) -> None:
    resources.secrets.values["ups"] = nut.password
    login = {"username": nut.username, "password": "${secret:ups}"}
    for more in ({}, {"ups": UPS}, login):
        reading = await read("ups", host=HOST, port=nut.port, **more)
        assert (reading.status, reading.message) == (Status.UP, "")
        assert reading.metric("battery.percent") == Metric("battery.percent", 87, "percent")
        assert reading.metric("runtime") == Metric("runtime", 2580, "seconds")
        assert reading.metric("load.percent") == Metric("load.percent", 23, "percent")
        assert reading.metric("power") == Metric("power", 230, "watt")
        assert reading.metric("input.voltage") == Metric("input.voltage", 229.8, "volt")
        assert reading.metric("temperature") == Metric("temperature", 31.2, "celsius")
        assert reading.metric("on.battery").value == 0
        (row,) = reading.items["ups"]
        assert (row["model"], row["state"]) == ("APC Smart-UPS 1500", "on mains, charging")
        assert {"name": "battery.charge.low", "value": "10"} in reading.items["variables"]
    with pytest.raises(SourceFailedError, match=f"The server has no UPS “other”; it has {UPS}"):
        await read("ups", host=HOST, port=nut.port, ups="other")


async def test_the_card_of_the_catalog_finds_its_metrics(read: Any, nut: Service) -> None:
    text = (ROOT / "app/definitions/catalog/component_types/ups_card.yaml").read_text(encoding="utf-8")
    card = read_yaml(text, "ups_card.yaml").data()["component_types"][0]
    reading = await read("ups", host=HOST, port=nut.port)
    parameters = card["config_schema"]["properties"]
    for name in ("charge", "runtime", "load", "voltage"):
        assert reading.metric(parameters[name]["default"]) is not None, name


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        ("OL", Status.UP, ""),
        ("OL CHRG", Status.UP, ""),
        ("OL BOOST", Status.UP, ""),
        ("OB DISCHRG", Status.DEGRADED, "On battery, discharging"),
        ("OL RB", Status.DEGRADED, "On mains, battery needs to be replaced"),
        ("OB LB", Status.DOWN, "On battery, battery low"),
        ("FSD OB LB", Status.DOWN, "Shutting down, on battery, battery low"),
        ("OFF", Status.DOWN, "Switched off"),
        ("SOMETHING", Status.DEGRADED, "SOMETHING"),
        ("", Status.UNKNOWN, "The UPS does not tell its status"),
    ],
)
async def test_flags_are_told_in_words(read: Any, flags: str, status: Status, message: str) -> None:
    assert await status_of(read, flags) == (status, message)


async def test_an_alarm_is_told(read: Any) -> None:
    assert await status_of(read, "OL ALARM", 'ups.alarm "Replace battery!"') == (
        Status.DEGRADED,
        "On mains, alarm: Replace battery!",
    )


async def test_what_is_no_number_is_missing(read: Any) -> None:
    async with upsd('ups.status "OL"', 'battery.charge "N/A"') as port:
        reading = await read("ups", host=HOST, port=port)
    assert reading.metrics == (Metric("battery.percent", None, "percent"), Metric("on.battery", 0))


async def test_one_of_several_must_be_chosen(read: Any) -> None:
    async with upsd('ups.status "OL"', names=("rack", "desk")) as port:
        with pytest.raises(SourceFailedError, match="Say which UPS: the server has rack, desk"):
            await read("ups", host=HOST, port=port)
        reading = await read("ups", host=HOST, port=port, ups="desk")
    assert reading.items["ups"][0]["name"] == "desk"
    assert reading.items["ups"][0]["description"] == 'Made "up"'
    async with upsd(names=()) as port:
        with pytest.raises(SourceFailedError, match="The server has no UPS"):
            await read("ups", host=HOST, port=port)


async def test_a_secret_that_comes_back_is_hidden(read: Any) -> None:
    login = {"username": "homelab", "password": "${secret:password}"}
    async with upsd('ups.status "OL"', 'ups.id "pass wörd"') as port:
        reading = await read("ups", host=HOST, port=port, **login)
    assert {"name": "ups.id", "value": "•••"} in reading.items["variables"]
    async with upsd(PASSWORD="ERR INVALID-PASSWORD\n") as port:
        with pytest.raises(SourceFailedError, match=r"^The server refuses the user name or password$"):
            await read("ups", host=HOST, port=port, **login)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("ERR DATA-STALE\n", "The UPS does not tell the server anything any more"),
        ("ERR ACCESS-DENIED\n", "The server refuses this machine"),
        ("ERR WHATEVER\n", "The server says: WHATEVER"),
        ("HTTP/1.1 400 Bad Request\n", "not that of a NUT server"),
        ("BEGIN LIST UPS\n" + 'UPS a "b"\n' * 2_000, "more than 1,000 things"),
        ('BEGIN LIST UPS\nUPS a "b\n', "not that of a NUT server"),
        ("BEGIN LIST UPS\nelse\n", "not that of a NUT server"),
        ("x" * 200_000, "not that of a NUT server"),
    ],
)
async def test_what_is_no_answer_says_so(read: Any, answer: str, message: str) -> None:
    async with upsd(LIST=answer) as port:
        with pytest.raises(SourceFailedError, match=message):
            await read("ups", host=HOST, port=port)


async def test_nobody_there_and_half_closed_are_told(read: Any) -> None:
    with pytest.raises(ConnectionFailedError, match=r"^Connection refused$"):
        await read("ups", host=HOST, port=free_port())

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"BEGIN LI")
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        with pytest.raises(HomelabError, match=r"closed the connection|reset"):
            await read("ups", host=HOST, port=server.sockets[0].getsockname()[1])


async def test_a_server_with_tls_is_trusted_by_its_authority(read: Any, authority: Authority) -> None:
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            heard.append((await reader.readline()).decode().strip())
            writer.write(b"OK STARTTLS\n")
            await writer.drain()
            await writer.start_tls(authority.server())
            for answer in ('BEGIN LIST UPS\nUPS a "b"\nEND LIST UPS\n', "BEGIN LIST VAR a\nEND LIST VAR a\n"):
                heard.append((await reader.readline()).decode().strip())
                writer.write(answer.encode())
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        secure = {"host": HOST, "port": server.sockets[0].getsockname()[1], "tls": True}
        reading = await read("ups", **secure, ca_certificate=authority.pem)
        assert heard == ["STARTTLS", "LIST UPS", "LIST VAR a"]
        assert reading.status is Status.UNKNOWN
        with pytest.raises(SourceFailedError, match="The certificate is not trusted"):
            await read("ups", **secure)


async def test_a_server_without_tls_says_so(read: Any, nut: Service) -> None:
    with pytest.raises(SourceFailedError, match=r"^The server does not offer TLS$"):
        await read("ups", host=HOST, port=nut.port, tls=True)
