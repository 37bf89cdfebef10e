"""The dns source."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError, addresses_of
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.threads import in_thread

if TYPE_CHECKING:
    import dns.message

Result = Literal["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"]
_TRIES = 2
"""One datagram may get lost on any network."""
_SHOWN_CHARACTERS = 60
_WORDS = {
    "NOERROR": "The name exists",
    "FORMERR": "The server did not understand the question (FORMERR)",
    "SERVFAIL": "The server could not find out (SERVFAIL)",
    "NXDOMAIN": "The name does not exist (NXDOMAIN)",
    "NOTIMP": "The server does not know this kind of question (NOTIMP)",
    "REFUSED": "The server refuses to answer (REFUSED)",
    "NOTAUTH": "The server is not responsible for the name (NOTAUTH)",
}


def _check_name(name: str) -> str:
    labels = name.removesuffix(".").split(".")
    if any(not 0 < len(label) <= 63 or label.split() != [label] for label in labels):
        raise ValueError("must be a name like example.org")
    return name


@dataclass(frozen=True, slots=True)
class _Answered:
    result: str
    seconds: float
    rows: list[dict[str, Any]]


@source_types.register("dns")
class Dns(Source, title="DNS"):
    """What a DNS server answers to a question, and how fast.

    Metrics: latency, answer.count, ttl (the shortest). Table: answers (name, type, value, ttl).
    """

    name: Annotated[str, AfterValidator(_check_name)] = Field(
        min_length=1, max_length=255, description="Name to ask for, such as example.org; for PTR also an IP address"
    )
    record_type: Literal["A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT"] = Field(
        "A", description="What to ask for"
    )
    server: str = Field(
        "", max_length=255, description="Server to ask, such as 192.168.1.2; empty for those of the machine"
    )
    port: int = Field(53, ge=1, le=65_535, description="Port of the server")
    protocol: Literal["udp", "tcp"] = Field("udp", description="UDP goes on with TCP when the answer is long")
    wait_seconds: float = Field(2.0, gt=0, le=60, description="How long to wait for an answer; asked twice")
    expected: tuple[str, ...] = Field((), max_length=100, description="Values that must be among the answers")
    expected_result: Result = Field(
        "NOERROR", description="Result that counts as up, such as NXDOMAIN for what a filter must block"
    )
    slow_seconds: float | None = Field(None, gt=0, description="Degraded when the answer takes longer than this")

    async def read(self, resources: Resources) -> Reading:
        """Ask the first server that answers. Whatever is wrong with the answer is what the reading says."""
        await in_thread(_load, "import-dns")
        import dns.exception
        import dns.message
        import dns.reversename

        name: Any = self.name
        if self.record_type == "PTR" and _is_address(self.name):
            name = dns.reversename.from_address(self.name)
        problem = "No answer"
        try:
            for server in await self._servers():
                for _ in range(_TRIES):
                    try:
                        return self._reading(await self._ask(server, dns.message.make_query(name, self.record_type)))
                    except dns.exception.Timeout:
                        problem = f"No answer within {self.wait_seconds:g} s"
                    except (dns.exception.DNSException, EOFError):
                        problem = "The answer is not DNS"
                    except OSError as error:
                        problem = explain(error)
        except ConnectionFailedError as error:
            problem = f"Server: {error}"
        return Reading(datetime.now(UTC), Status.DOWN, problem, _metrics(None))

    async def _servers(self) -> list[str]:
        """Return the server that was configured, or those of the system.

        Raises SourceFailedError or ConnectionFailedError.
        """
        import dns.resolver

        if self.server:
            return (await addresses_of(self.server))[:1]
        try:
            system = await in_thread(dns.resolver.Resolver, "read-resolvers")
        except (dns.resolver.NoResolverConfiguration, OSError):
            raise SourceFailedError("This machine has no DNS server. Enter one under server") from None
        return [str(server) for server in system.nameservers]

    async def _ask(self, server: str, query: dns.message.Message) -> _Answered:
        import dns.asyncquery
        import dns.rcode
        import dns.rdatatype

        started = time.perf_counter()
        if self.protocol == "tcp":
            answer = await dns.asyncquery.tcp(query, server, self.wait_seconds, self.port)
        else:
            answer, _ = await dns.asyncquery.udp_with_fallback(
                query, server, self.wait_seconds, self.port, ignore_unexpected=True, ignore_errors=True
            )
        seconds = time.perf_counter() - started
        rows = [
            {
                "name": records.name.to_text(omit_final_dot=True),
                "type": dns.rdatatype.to_text(records.rdtype),
                "value": record.to_text(),
                "ttl": records.ttl,
            }
            for records in answer.answer
            for record in records
        ]
        return _Answered(dns.rcode.to_text(answer.rcode()), seconds, rows)

    def _reading(self, answered: _Answered) -> Reading:
        status, message = self._judge(answered)
        return Reading(
            datetime.now(UTC),
            status,
            message,
            _metrics(answered, self.record_type),
            {"answers": answered.rows[:MAX_ITEMS]},
        )

    def _judge(self, answered: _Answered) -> tuple[Status, str]:
        if answered.result != self.expected_result:
            return Status.DOWN, _WORDS.get(answered.result, f"The server answered {answered.result}")
        values = {_plain(row["value"]) for row in answered.rows if row["type"] == self.record_type}
        if answered.result == "NOERROR" and not values:
            return Status.DOWN, f"The name has no {self.record_type} record"
        missing = [value for value in self.expected if _plain(value) not in values]
        if missing:
            found = shorten(", ".join(sorted(values)), _SHOWN_CHARACTERS)
            return Status.DOWN, f"Expected {shorten(', '.join(missing), _SHOWN_CHARACTERS)}, but the answer is {found}"
        if self.slow_seconds is not None and answered.seconds > self.slow_seconds:
            return Status.DEGRADED, f"The answer took longer than {self.slow_seconds:g} s"
        return Status.UP, ""


def _metrics(answered: _Answered | None, record_type: str = "") -> tuple[Metric, ...]:
    rows = [row for row in answered.rows if row["type"] == record_type] if answered else []
    return (
        Metric("latency", answered.seconds if answered else None, "seconds"),
        Metric("answer.count", float(len(rows)) if answered else None, "count"),
        Metric("ttl", min((row["ttl"] for row in rows), default=None), "seconds"),
    )


def _load() -> None:
    """Import what takes a quarter of a second."""
    import dns.asyncquery
    import dns.asyncresolver  # noqa: F401


def _plain(value: str) -> str:
    """Return a value as people write it: without the dot at the end, quotes of a text, or capital letters."""
    return value.strip().removesuffix(".").strip('"').casefold()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
