"""The tls_certificate source."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError, client_tls
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, source_types
from app.bot.infrastructure.sources.tls_certificate.certificates import Certificate, certificate_of

_AT_A_TIME = 10
_SHOWN_NAMES = 20


class Server(BaseModel):
    """A server whose certificate is looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=255, description="Name or IP address, such as example.org")
    port: int = Field(443, ge=1, le=65_535, description="A port that begins with TLS, such as 443, 465, 636, 993")
    server_name: str = Field(
        "", max_length=255, description="Name to ask for and to check (SNI), where it is not the host"
    )
    name: str = Field("", max_length=100, description="What to call it; empty for the name of the server")

    @property
    def label(self) -> str:
        """What it is called."""
        address = self.server_name or self.host
        return self.name or (address if self.port == 443 else f"{address}:{self.port}")


@dataclass(frozen=True, slots=True)
class _Looked:
    server: Server
    certificate: Certificate | None
    days: float | None
    status: Status
    problem: str

    def row(self) -> dict[str, Any]:
        found = self.certificate
        facts: dict[str, Any] = {
            "name": self.server.label,
            "address": f"{self.server.host}:{self.server.port}",
            "days": self.days,
        }
        if found is not None:
            facts |= {
                "issuer": found.issuer,
                "subject": found.subject,
                "names": list(found.names[:_SHOWN_NAMES]),
                "begins": found.begins.isoformat(),
                "ends": found.ends.isoformat(),
                "trusted": not found.distrust,
                "matches": found.is_for(self.server.server_name or self.server.host),
            }
        return {**facts, "status": self.status.value, "message": self.problem}


@source_types.register("tls_certificate")
class TlsCertificate(Source, title="TLS certificate"):
    """How long the certificates of servers are valid, who issued them, whether they are trusted and fit the name.

    Down when one has run out or a server does not answer. Metrics: certificate.days (of each server, the next to run
    out first). Table: certificates, as the component type certificate_list shows it.
    """

    servers: tuple[Server, ...] = Field(min_length=1, max_length=100, description="Servers to look at")
    warning_days: float = Field(14, ge=0, description="Degraded when a certificate runs out in fewer days than this")
    check_trust: bool = Field(True, description="Degraded when a certificate is not trusted or is for another name")
    ca_certificate: str = Field(
        "", max_length=100_000, description="Certificate of your own authority: PEM, ${secret:name} or path of a file"
    )
    wait_seconds: float = Field(5.0, gt=0, le=60, description="How long one server may take; must be below the timeout")

    async def read(self, resources: Resources) -> Reading:
        """Look at all servers, some at a time. What is wrong with one is what its row says."""
        trusted = await client_tls(True, self.ca_certificate, SecretUse(resources.secrets))
        trusted.check_hostname = False  # told apart from the chain; see `matches`
        slots = asyncio.Semaphore(_AT_A_TIME)
        looked = await asyncio.gather(*(self._look(server, trusted, slots) for server in self.servers))
        looked = sorted(looked, key=lambda one: (one.days is None, one.days))
        worst = max(looked, key=lambda one: one.status.severity)
        problems = [f"{one.server.label}: {one.problem}" for one in looked if one.status is not Status.UP]
        return Reading(
            datetime.now(UTC),
            worst.status,
            shorten(problems[0] if len(looked) == 1 else "; ".join(problems), 400) if problems else "",
            tuple(Metric("certificate.days", one.days, "days", {"name": one.server.label}) for one in looked),
            {"certificates": [one.row() for one in looked]},
        )

    async def _look(self, server: Server, trusted: ssl.SSLContext, slots: asyncio.Semaphore) -> _Looked:
        async with slots:
            try:
                async with asyncio.timeout(self.wait_seconds):
                    found = await certificate_of(server.host, server.port, server.server_name, trusted)
            except TimeoutError:
                return _Looked(server, None, None, Status.DOWN, f"No answer within {self.wait_seconds:g} s")
            except ConnectionFailedError as error:
                return _Looked(server, None, None, Status.DOWN, str(error))
        now = datetime.now(UTC)
        status, problem = self._judge(server, found, now)
        return _Looked(server, found, round(found.days(now), 3), status, problem)

    def _judge(self, server: Server, found: Certificate, now: datetime) -> tuple[Status, str]:
        days = found.days(now)
        if days < 0:
            return Status.DOWN, f"The certificate ran out {_days(-days)} ago"
        if found.begins > now:
            return Status.DOWN, "The certificate is not valid yet"
        problems = []
        if days < self.warning_days:
            problems.append(f"The certificate runs out in {_days(days)}")
        if self.check_trust and found.distrust:
            problems.append(f"The certificate is not trusted: {found.distrust}")
        if self.check_trust and not found.is_for(server.server_name or server.host):
            problems.append(f"The certificate is for another name: {', '.join(found.names[:3]) or found.subject}")
        return (Status.DEGRADED, ". ".join(problems)) if problems else (Status.UP, "")


def _days(days: float) -> str:
    whole = int(days)
    return "less than a day" if whole == 0 else f"{whole} day{'s' if whole != 1 else ''}"
