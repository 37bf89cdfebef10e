"""The redis source."""

from __future__ import annotations

import importlib
import time
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, PrivateAttr

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.network.errors import explain_cause
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.redis import info as redis_info
from app.bot.infrastructure.threads import in_thread

_ANSWER_CHARACTERS = 120


@source_types.register("redis")
class Redis(Source, title="Redis"):
    """A Redis or Valkey server: clients, memory, hits, operations, keys, replication and whether data is saved.

    Degraded when a snapshot or the append-only file could not be written, the link to the primary is down, data is
    being loaded, or memory is full and nothing is evicted. A user of the ACL needs no more than +info.
    Metrics: latency, uptime, clients, clients.blocked, memory.used, memory.peak, memory.resident, memory.total (the
    limit), memory.percent, memory.fragmentation, operations.rate, commands, hit.percent (since the reading before; at
    first since the start), hits, misses, keys (also of each database), keys.expired, keys.evicted, connections,
    connections.rejected, network.receive, network.transmit, network.received, network.transmitted, changes.unsaved,
    last_save.age, replicas; of a replica also replication.link (1 or 0) and replication.silence.
    Tables: server, databases, replicas.
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address, such as 192.168.1.5")
    port: int = Field(6379, ge=1, le=65_535, description="Port")
    username: str = Field("", description="User of the ACL; empty for the default one. May be ${secret:name}")
    password: str = Field("", description="Best as ${secret:name}; empty when none is asked for")
    tls: bool = Field(False, description="Encrypt the connection")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    ca_certificate: str = Field(
        "",
        max_length=100_000,
        description="Certificate of your own authority, to trust besides the known ones: as PEM text, or the path of a "
        "file where the bot runs",
    )

    _before: redis_info.Lookups | None = PrivateAttr(None)

    async def read(self, resources: Resources) -> Reading:
        """Ask for INFO. Raises SourceFailedError, or a secret's error."""
        secrets = SecretUse(resources.secrets)
        # Off the event loop: the first import takes a while.
        library = await in_thread(lambda: importlib.import_module("redis.asyncio"), "import-redis")
        client = library.Redis(
            host=self.host,
            port=self.port,
            username=await secrets.fill(self.username) or None,
            password=await secrets.fill(self.password) or None,
            **(self._tls(await secrets.fill(self.ca_certificate)) if self.tls else {}),
            decode_responses=True,
            encoding_errors="replace",
            retry=None,  # the next poll is the retry
            lib_name=None,
            lib_version=None,
            single_connection_client=True,
        )
        try:
            info, latency = await _ask(client)
        except _failures() as error:
            raise SourceFailedError(_reason(error, secrets)) from None
        finally:
            await client.aclose()
        return self._reading(secrets.hide_within(info), latency)

    def _tls(self, authority: str) -> dict[str, Any]:
        return {
            "ssl": True,
            "ssl_cert_reqs": "required" if self.verify_tls else "none",
            "ssl_check_hostname": self.verify_tls,
            "ssl_ca_data" if "-----BEGIN" in authority else "ssl_ca_certs": authority or None,
        }

    def _reading(self, info: redis_info.Info, latency: float) -> Reading:
        lookups = redis_info.Lookups.of(info)
        percent = None if lookups is None else lookups.percent(self._before)
        self._before = lookups
        numbers = (
            Metric("latency", latency, "seconds"),
            *redis_info.metrics(info),
            Metric("hit.percent", percent, "percent"),
            *redis_info.keys(info),
        )
        tables = {
            "server": [redis_info.server(info)],
            "databases": redis_info.databases(info)[:MAX_ITEMS],
            "replicas": redis_info.replicas(info)[:MAX_ITEMS],
        }
        problems = redis_info.problems(info)
        status = Status.DEGRADED if problems else Status.UP
        return Reading(datetime.now(UTC), status, "; ".join(problems), numbers, tables)


async def _ask(client: Any) -> tuple[redis_info.Info, float]:
    """Return what INFO says, and how long the answer took on a connection that is open."""
    await client.initialize()
    started = time.perf_counter()
    info = await client.info()
    latency = time.perf_counter() - started
    if not isinstance(info, dict):
        raise SourceFailedError("The answer is not that of a Redis server")
    return info, latency


def _failures() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    # What an answer that is none does to the library: it parses numbers and texts without a check.
    return (RedisError, OSError, ValueError, LookupError, TypeError, AttributeError)


def _reason(error: Exception, secrets: SecretUse) -> str:
    """Why there is no reading, without anything that was sent."""
    from redis import exceptions

    if isinstance(error, exceptions.NoPermissionError):
        return "This user may not ask for INFO: give it +info"
    if isinstance(error, exceptions.AuthenticationError):
        asked = "required" in str(error).lower()
        return "The server asks for a password" if asked else "The server refuses the user name or password"
    if (reason := explain_cause(error)) is not None:
        return reason
    if isinstance(error, exceptions.ResponseError):
        return f"The server answered: {shorten(one_line(secrets.hide(str(error))), _ANSWER_CHARACTERS)}"
    return "The answer is not that of a Redis server (does it ask for TLS?)"
