"""The domain_expiry source."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr
from yarl import URL

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.http_requests import RequestFailedError
from app.bot.infrastructure.sources.base import Resources, Source, source_types
from app.bot.infrastructure.sources.domain_expiry.registrations import (
    NoAnswerFromRegistryError,
    Registration,
    ask_rdap,
    ask_whois,
    fetch_json,
    rdap_servers,
)
from app.bot.infrastructure.sources.http_request import HttpAddress

_DAY_SECONDS = 86_400.0
_AGAIN_SECONDS = 3_600.0
"""After a registry that did not answer: they refuse those who ask often."""
_AT_A_TIME = 3
_NAME = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+$")


def _check_domain(domain: str) -> str:
    try:
        plain = domain.strip().rstrip(".").casefold().encode("idna").decode()
    except UnicodeError:
        plain = ""
    if _NAME.match(plain) is None:
        raise ValueError("must be a domain like example.org")
    return domain.strip().rstrip(".").casefold()


Domain = Annotated[str, Field(max_length=253), AfterValidator(_check_domain)]
Server = Annotated[str, Field(max_length=260, pattern=r"^[\w.-]*(:\d{1,5})?$")]


@dataclass(slots=True)
class _Known:
    """What is known of a domain, when to ask again (monotonic seconds), and why the last question had no answer."""

    registration: Registration | None = None
    due: float = 0.0
    problem: str = ""


@source_types.register("domain_expiry")
class DomainExpiry(Source, title="Domain expiry"):
    """How long domains are registered, and by whom: from the registry, asked once a day.

    Down when one has run out or is not registered. Metric: domain.days (of each, the next to run out first). Table:
    domains, which the component type certificate_list shows too.
    """

    domains: tuple[Domain, ...] = Field(min_length=1, max_length=100, description="Domains, such as example.org")
    warning_days: float = Field(30, ge=0, description="Degraded when one runs out in fewer days than this")
    every_hours: float = Field(24, ge=1, le=720, description="Hours until a registry is asked again")
    rdap_server: HttpAddress | None = Field(
        None, description="RDAP server to ask for all, such as https://rdap.example/; empty for the registry's own"
    )
    rdap_bootstrap: HttpAddress = Field(
        "https://data.iana.org/rdap/dns.json", description="Where it stands which registry has which RDAP server"
    )
    whois_server: Server = Field(
        "whois.iana.org",
        min_length=1,
        description="WHOIS server to begin with, where there is no RDAP: host, or host:port",
    )
    wait_seconds: float = Field(8.0, gt=0, le=60, description="How long a registry may take; must be below the timeout")

    _known: dict[str, _Known] = PrivateAttr(default_factory=dict)
    _servers: dict[str, str] | None = PrivateAttr(None)

    async def read(self, resources: Resources) -> Reading:
        """Ask for the domains that it is time for. What is wrong with one is what its row says."""
        slots = asyncio.Semaphore(_AT_A_TIME)
        due = [domain for domain in self.domains if self._of(domain).due <= time.monotonic()]
        if due and self.rdap_server is None and self._servers is None:
            await self._bootstrap(resources)
        await asyncio.gather(*(self._ask(domain, resources, slots) for domain in due))
        now = datetime.now(UTC)
        rows = [self._row(domain, self._of(domain), now) for domain in self.domains]
        rows.sort(key=lambda row: (row["days"] is None, row["days"]))
        worst = max((Status(row["status"]) for row in rows), key=lambda status: status.severity)
        problems = [f"{row['name']}: {row['message']}" for row in rows if row["message"]]
        metrics = tuple(Metric("domain.days", row["days"], "days", {"domain": row["name"]}) for row in rows)
        return Reading(now, worst, shorten("; ".join(problems), 400), metrics, {"domains": rows})

    def _of(self, domain: str) -> _Known:
        return self._known.setdefault(domain, _Known())

    async def _bootstrap(self, resources: Resources) -> None:
        """Learn the registries' servers; without, WHOIS is asked until the next look."""
        try:
            async with asyncio.timeout(self.wait_seconds):
                _, found = await fetch_json(resources.session, URL(self.rdap_bootstrap))
            self._servers = rdap_servers(found) or None
        except (RequestFailedError, TimeoutError):
            return

    async def _ask(self, domain: str, resources: Resources, slots: asyncio.Semaphore) -> None:
        known = self._of(domain)
        async with slots:
            # Written down before: a look that is given up, for it takes too long, must not ask again with every poll.
            known.due, known.problem = time.monotonic() + _AGAIN_SECONDS, "The registry did not answer in time"
            try:
                known.registration, known.problem = await self._registration(domain, resources), ""
            except NoAnswerFromRegistryError as error:
                known.problem = str(error)
        known.due = time.monotonic() + (_AGAIN_SECONDS if known.problem else self.every_hours * 3_600)

    async def _registration(self, domain: str, resources: Resources) -> Registration:
        """By RDAP where the registry has it, else by WHOIS. Raises NoAnswerFromRegistryError."""
        plain = domain.encode("idna").decode()
        server = self.rdap_server or (self._servers or {}).get(plain.rpartition(".")[2])
        problem = ""
        if server is not None:
            try:
                async with asyncio.timeout(self.wait_seconds):
                    return await ask_rdap(resources.session, server, plain)
            except NoAnswerFromRegistryError as error:
                problem = f"{error}. "
            except TimeoutError:
                problem = "RDAP: no answer in time. "
        try:
            async with asyncio.timeout(self.wait_seconds):
                return await ask_whois(self.whois_server, plain)
        except NoAnswerFromRegistryError as error:
            raise NoAnswerFromRegistryError(f"{problem}{error}") from None
        except TimeoutError:
            raise NoAnswerFromRegistryError(f"{problem}WHOIS: no answer in time") from None

    def _row(self, domain: str, known: _Known, now: datetime) -> dict[str, Any]:
        found = known.registration
        days = None
        if found is not None and found.ends is not None:
            days = round((found.ends - now).total_seconds() / _DAY_SECONDS, 3)
        status, message = self._judge(found, known.problem, days)
        return {
            "name": domain,
            "days": days,
            "ends": found.ends.isoformat() if found and found.ends else None,
            "registrar": found.registrar if found else "",
            "states": list(found.states) if found else [],
            "told_by": found.told_by if found else "",
            "status": status.value,
            "message": message,
        }

    def _judge(self, found: Registration | None, problem: str, days: float | None) -> tuple[Status, str]:
        if found is None:
            return Status.UNKNOWN, problem or "Not asked yet"
        if not found.registered:
            return Status.DOWN, "It is not registered"
        if days is None:
            return Status.UNKNOWN, "The registry does not tell when it runs out"
        if days < 0:
            return Status.DOWN, f"It ran out {int(-days)} days ago"
        if days < self.warning_days:
            return Status.DEGRADED, f"It runs out in {int(days)} days"
        return Status.UP, ""
