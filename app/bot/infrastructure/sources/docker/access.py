"""How an engine is reached: its address with what proves who is who, and the open connection."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from app.bot.domain.errors import InvalidConfigError
from app.bot.infrastructure.network.ssh import SshLogin, open_ssh
from app.bot.infrastructure.secrets import SecretResolver, SecretUse
from app.bot.infrastructure.sources.docker.tls import client_context
from app.bot.infrastructure.threads import in_thread

if TYPE_CHECKING:
    import aiohttp

    from app.bot.infrastructure.sources.docker.engine import Engine

DEFAULT_SOCKET = "/var/run/docker.sock"
_SCHEMES = ("unix", "tcp", "http", "https", "ssh")
_PLAIN_PORT, _TLS_PORT, _SSH_PORT = 2375, 2376, 22
Closer = Callable[[], Awaitable[None]]


class EngineAccess(SshLogin):
    """The settings by which an engine of Docker or Podman is reached."""

    address: str = Field(
        f"unix://{DEFAULT_SOCKET}",
        min_length=1,
        max_length=500,
        description="Where the engine is: unix:///var/run/docker.sock, tcp://host:2375 (for instance a socket proxy), "
        "https://host:2376, or ssh://user@host, with the path of the socket behind it if that is another",
    )
    tls_ca: str = Field(
        "",
        max_length=100_000,
        description="For https: the authority of the engine's certificate, as ${secret:name} or the path of its file. "
        "Empty: the system's authorities",
    )
    tls_certificate: str = Field(
        "", max_length=100_000, description="For https: the client's certificate, as ${secret:name} or a path"
    )
    tls_key: str = Field(
        "", max_length=100_000, description="For https: the key of that certificate, as ${secret:name} or a path"
    )

    @field_validator("address")
    @classmethod
    def _checked_address(cls, address: str) -> str:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise ValueError("this is no address; write such as tcp://host:2375") from None
        if parts.scheme not in _SCHEMES:
            raise ValueError("must start with unix://, tcp://, https:// or ssh://, such as unix:///var/run/docker.sock")
        if parts.scheme == "unix" and (parts.netloc or len(parts.path) < 2):
            raise ValueError("a socket needs its whole path with three slashes, such as unix:///var/run/docker.sock")
        if parts.scheme != "unix" and (not parts.hostname or port == 0):
            raise ValueError("names no host; write such as tcp://host:2375 or ssh://user@host")
        if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
            raise ValueError("must hold no password; enter it as a secret and name that under ssh_password")
        if parts.scheme in ("tcp", "http", "https") and parts.path.strip("/"):
            raise ValueError("has a path; leave out what comes behind the port")
        return address

    @model_validator(mode="after")
    def _whole_certificate(self) -> EngineAccess:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key belong together: fill in both")
        return self

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted by TLS: https, or tcp with something about certificates."""
        scheme = urlsplit(self.address).scheme
        return scheme == "https" or (scheme == "tcp" and bool(self.tls_ca or self.tls_certificate))

    async def open(self, resolver: SecretResolver) -> Engine:
        """Return a client of the engine, which connects when it is first asked. The caller closes it.

        Raises a HomelabError: a secret or file is missing, or there is no SSH connection.
        """
        secrets = SecretUse(resolver)
        engine_type = await in_thread(_load, "load-docker")
        route = await self._route(secrets)
        return engine_type(route.url, route.connector, route.where, secrets, route.close)

    async def _route(self, secrets: SecretUse) -> _Route:
        import aiohttp

        from app.bot.infrastructure.network.http_session import HostResolver

        parts = urlsplit(self.address)
        if parts.scheme == "unix":
            path = unquote(parts.path)
            return _Route("unix://localhost", aiohttp.UnixConnector(path, limit=0), path, _nothing)
        host = parts.hostname or ""
        if parts.scheme == "ssh":
            return await self._tunnel(host, parts.port or _SSH_PORT, parts.username or "", unquote(parts.path), secrets)
        tls = await client_context(self.tls_ca, self.tls_certificate, self.tls_key, secrets) if self.uses_tls else None
        scheme, port = ("https", _TLS_PORT) if self.uses_tls else ("http", _PLAIN_PORT)
        shown = f"[{host}]" if ":" in host else host
        connector = aiohttp.TCPConnector(limit=0, resolver=HostResolver(), ssl=tls if tls is not None else True)
        return _Route(f"{scheme}://{shown}:{parts.port or port}", connector, shown, _nothing)

    async def _tunnel(self, host: str, port: int, user: str, path: str, secrets: SecretUse) -> _Route:
        """Return the remote socket by a local one that no one else may open."""
        import aiohttp

        connection = await open_ssh(host, port, user, self, secrets)
        folder = tempfile.TemporaryDirectory(prefix="homelab-docker-")
        local = str(Path(folder.name) / "docker.sock")

        async def close() -> None:
            connection.close()
            folder.cleanup()
            await connection.wait_closed()

        try:
            await connection.forward_local_path(local, path.rstrip("/") or DEFAULT_SOCKET)
        except BaseException:
            await close()
            raise
        where = f"{path.rstrip('/') or DEFAULT_SOCKET} on {host}"
        return _Route("unix://localhost", aiohttp.UnixConnector(local, limit=0), where, close)


class _Route(NamedTuple):
    """A way to an engine: the address for requests, what connects, what users call it, and how to let go of it."""

    url: str
    connector: aiohttp.BaseConnector
    where: str
    close: Closer


class EngineLink:
    """One engine, opened when it is needed and again after it failed; several may wait for the same opening."""

    def __init__(self, access: EngineAccess, resolver: SecretResolver) -> None:
        self._access = access
        self._resolver = resolver
        self._engine: Engine | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def engine(self) -> Engine:
        """Return the open engine. Raises a HomelabError."""
        async with self._opening:
            if self._closed:
                raise InvalidConfigError("This source was closed.")
            if self._engine is None:
                self._engine = await self._access.open(self._resolver)
            return self._engine

    async def drop(self, engine: Engine) -> None:
        """Close an engine that failed; the next to need it opens it again, with what its secrets are then."""
        if self._engine is engine:
            self._engine = None
        await engine.close()

    async def close(self) -> None:
        """Let go of the engine for good."""
        self._closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()


def _load() -> type[Engine]:
    """Return the client, whose library takes longer to load than the event loop has."""
    from app.bot.infrastructure.sources.docker.engine import Engine

    return Engine


async def _nothing() -> None:
    """There is nothing to let go of."""
