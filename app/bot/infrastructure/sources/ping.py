"""The ping source."""

from __future__ import annotations

import asyncio
import itertools
import socket
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError, addresses_of
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types

if TYPE_CHECKING:
    import icmplib

_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_NOT_ALLOWED = (
    "The bot may not send pings here. Allow it: in a container with cap_add: [NET_RAW] or the sysctl "
    "net.ipv4.ping_group_range=0 2147483647, on a machine with that sysctl"
)


@source_types.register("ping")
class Ping(Source, title="Ping"):
    """Whether a machine answers to pings (ICMP), how fast, and how many get lost.

    Down when none is answered. Metrics: latency (mean), latency.min, latency.max, jitter (mean change from one answer
    to the next), loss (percent), packets.sent, packets.received.
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address, such as 192.168.1.1")
    count: int = Field(4, ge=1, le=50, description="Pings for one reading")
    pause_seconds: float = Field(0.2, ge=0.01, le=10, description="From an answer to the next ping")
    wait_seconds: float = Field(
        1.0, gt=0, le=60, description="A ping without an answer for so long is lost; all must fit into the timeout"
    )
    family: Literal["any", "ipv4", "ipv6"] = Field("any", description="Which kind of address to use")
    loss_percent: float = Field(0, ge=0, le=100, description="Degraded when more than this is lost")
    slow_seconds: float | None = Field(None, gt=0, description="Degraded when the mean answer takes longer than this")

    async def read(self, resources: Resources) -> Reading:
        """Send the pings, one after the other. Raises SourceFailedError when the system forbids it."""
        try:
            address = (await addresses_of(self.host, _FAMILIES[self.family]))[0]
        except ConnectionFailedError as error:
            return self._reading([], 0, str(error))
        times, problem = await self._ping(address)
        return self._reading(times, self.count, problem)

    async def _ping(self, address: str) -> tuple[list[float], str]:
        """Seconds of each answer, and why the last one failed."""
        from icmplib import AsyncSocket, ICMPLibError, ICMPRequest
        from icmplib.exceptions import DestinationUnreachable, TimeExceeded
        from icmplib.utils import unique_identifier

        identifier, times, problem = unique_identifier(), list[float](), ""
        with AsyncSocket(_open(address)) as opened:
            for sequence in range(self.count):
                if sequence:
                    await asyncio.sleep(self.pause_seconds)
                request = ICMPRequest(destination=address, id=identifier, sequence=sequence)
                started = time.perf_counter()
                try:
                    opened.send(request)
                    reply = await opened.receive(request, self.wait_seconds)
                    received = time.perf_counter()
                    reply.raise_for_status()
                except (DestinationUnreachable, TimeExceeded) as error:
                    problem = f"No way to the machine: {str(error).rstrip('.').lower()}"
                except ICMPLibError:
                    problem = "No answer"
                else:
                    times.append(received - started)
        return times, problem

    def _reading(self, times: list[float], sent: int, problem: str) -> Reading:
        loss = 100 * (sent - len(times)) / sent if sent else None
        mean = statistics.fmean(times) if times else None
        status, message = self._judge(loss, mean, problem)
        changes = [abs(later - earlier) for earlier, later in itertools.pairwise(times)]
        metrics = (
            Metric("latency", mean, "seconds"),
            Metric("latency.min", min(times, default=None), "seconds"),
            Metric("latency.max", max(times, default=None), "seconds"),
            Metric("jitter", statistics.fmean(changes) if changes else None, "seconds"),
            Metric("loss", loss, "percent"),
            Metric("packets.sent", float(sent), "count"),
            Metric("packets.received", float(len(times)), "count"),
        )
        return Reading(datetime.now(UTC), status, message, metrics)

    def _judge(self, loss: float | None, mean: float | None, problem: str) -> tuple[Status, str]:
        if mean is None or loss is None:
            return Status.DOWN, problem
        warnings = []
        if loss > self.loss_percent:
            warnings.append(f"{loss:.0f} % of the pings got lost")
        if self.slow_seconds is not None and mean > self.slow_seconds:
            warnings.append(f"The answer takes longer than {self.slow_seconds * 1000:g} ms")
        return (Status.DEGRADED, ". ".join(warnings)) if warnings else (Status.UP, "")


def _open(address: str) -> icmplib.ICMPv4Socket | icmplib.ICMPv6Socket:
    """Return a socket that anybody may open where the system lets them, else one that needs CAP_NET_RAW."""
    from icmplib import ICMPSocketError, ICMPv4Socket, ICMPv6Socket, SocketPermissionError

    kind = ICMPv6Socket if ":" in address else ICMPv4Socket
    for privileged in (False, True):
        try:
            return kind(privileged=privileged)
        except SocketPermissionError:
            continue
        except ICMPSocketError:
            raise SourceFailedError(f"{'IPv6' if ':' in address else 'IPv4'} is not available here") from None
    raise SourceFailedError(_NOT_ALLOWED)
