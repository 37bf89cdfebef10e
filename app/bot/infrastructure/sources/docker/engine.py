"""The client of one engine: what may be asked of it, with every failure in words that a person understands.

The API is described at https://docs.docker.com/reference/api/engine/; Podman serves the same.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiodocker
import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.docker.access import Closer
from app.bot.infrastructure.sources.docker.errors import EngineError, EngineRefusedError
from app.bot.infrastructure.threads import in_thread

_LARGEST_BYTES = 16 * 1024 * 1024
_LONG_BYTES = 200_000
"""From here on JSON is parsed in a thread."""
_SILENT_SECONDS = 600.0
"""After so long without an event the stream is opened again: a connection may have died unnoticed."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
"""Docker's own rule for names (daemon/names); ids fit it as well."""
_NOT_DOCKER = "The answer is not one of Docker's. Is the address right?"
_REASON_CHARACTERS = 300


class AnswerTooLargeError(ValueError):
    """An answer is larger than any sensible one."""


class _CappedResponse(aiohttp.ClientResponse):
    """An answer that is not read beyond a limit, and whose JSON does not hold up the event loop."""

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await self._read_capped()
            except BaseException:
                self.close()
                raise
        return self._body

    async def _read_capped(self) -> bytes:
        body = bytearray()
        async for chunk in self.content.iter_any():
            body += chunk
            if len(body) > _LARGEST_BYTES:
                raise AnswerTooLargeError
        return bytes(body)

    async def json(self, **_options: Any) -> Any:
        body = await self.read()
        return await in_thread(lambda: json.loads(body), "json") if len(body) > _LONG_BYTES else json.loads(body)


class Engine:
    """An engine of Docker or Podman. Every method raises EngineError, and none limits its time. `close` it."""

    def __init__(
        self, url: str, connector: aiohttp.BaseConnector, where: str, secrets: SecretUse, close: Closer
    ) -> None:
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_CappedResponse,
        )
        self._session = session
        self._docker = aiodocker.Docker(url, connector=connector, session=session)
        self._where = where
        self._secrets = secrets
        self._close = close

    def __repr__(self) -> str:
        return f"Engine({self._where!r})"

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()
        await self._close()

    # Looking

    async def info(self) -> Mapping[str, Any]:
        """Return what the engine says of itself (GET /info)."""
        with self._named_failures():
            return _object(await self._docker.system.info())

    async def containers(self) -> list[Mapping[str, Any]]:
        """All containers, running or not (GET /containers/json)."""
        with self._named_failures():
            found = await self._docker._query_json("containers/json", params={"all": "1"})
            return [entry for entry in map(_object, found) if entry.get("Id")]

    async def inspect(self, container: str) -> Mapping[str, Any]:
        """All of one container (GET /containers/{id}/json)."""
        with self._named_failures():
            return _object(await self._docker.containers.container(_checked(container)).show())

    async def usage(self, container: str) -> Mapping[str, Any]:
        """One sample of what a container uses (GET /containers/{id}/stats), without waiting for a second one."""
        with self._named_failures():
            # aiodocker's own `stats` does not know one-shot, and takes a second for each container.
            path, params = f"containers/{_checked(container)}/stats", {"stream": "0", "one-shot": "1"}
            async with self._docker._query(path, params=params) as response:
                return _object(await response.json())

    async def logs(self, container: str, lines: int) -> bytes:
        """Return the last lines of a container's log with their times, as the engine sends them: see `log_lines`."""
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(lines)}
        with self._named_failures():
            async with self._docker._query(f"containers/{_checked(container)}/logs", params=params) as response:
                body: bytes = await response.read()
                return body

    @asynccontextmanager
    async def events(self, since: str) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """Yield the events of containers from a time on (seconds, as text), without end (GET /events)."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=_SILENT_SECONDS)
        params = {"since": since, "filters": json.dumps({"type": ["container"]})}
        with self._named_failures():
            async with self._docker._query("events", params=params, timeout=timeout) as response:
                try:
                    yield self._objects(response)
                finally:
                    response.close()

    async def _objects(self, response: aiohttp.ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
        with self._named_failures():
            async for line in response.content:
                if line.strip():
                    yield _object(json.loads(line))

    # Doing

    async def start(self, container: str) -> None:
        """Start a container; one that runs stays as it is."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).start()

    async def stop(self, container: str, seconds: int | None = None) -> None:
        """Stop a container, killing it after that many seconds (None: as it was made to be)."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).stop(t=seconds)

    async def restart(self, container: str, seconds: int | None = None) -> None:
        """Stop a container and start it again."""
        with self._named_failures():
            params = {} if seconds is None else {"t": str(seconds)}
            await self._post(f"containers/{_checked(container)}/restart", params)

    async def pause(self, container: str) -> None:
        """Freeze a container's processes."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).pause()

    async def unpause(self, container: str) -> None:
        """Let a container's processes go on."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).unpause()

    async def rename(self, container: str, name: str) -> None:
        """Give a container another name."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).rename(_checked(name))

    async def remove(self, container: str) -> None:
        """Remove a container, also one that runs; its volumes stay."""
        with self._named_failures():
            await self._docker.containers.container(_checked(container)).delete(force=True, v=False)

    async def create(self, name: str, config: Mapping[str, Any]) -> str:
        """Make a container (POST /containers/create); its id."""
        with self._named_failures():
            path = "containers/create"
            params = {"name": _checked(name)}
            made = await self._docker._query_json(path, method="POST", params=params, data=dict(config))
            return str(_object(made)["Id"])

    async def connect(self, network: str, container: str, endpoint: Mapping[str, Any]) -> None:
        """Put a container into one more network."""
        with self._named_failures():
            body = {"Container": _checked(container), "EndpointConfig": dict(endpoint)}
            await self._docker._query_json(f"networks/{_checked(network)}/connect", method="POST", data=body)

    async def image(self, name: str) -> Mapping[str, Any]:
        """All of one image; `name` as Docker writes it, or its id."""
        with self._named_failures():
            return _object(await self._docker.images.inspect(_checked_image(name)))

    async def pull(self, image: str) -> None:
        """Fetch an image from its registry; the tag is latest where it names none."""
        with self._named_failures():
            await self._docker.images.pull(_checked_image(image))

    async def _post(self, path: str, params: Mapping[str, str]) -> None:
        async with self._docker._query(path, method="POST", params=dict(params)) as response:
            await response.read()

    # Failing

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        """Turn whatever aiodocker and aiohttp raise into EngineError, cut off from a cause that may hold secrets."""
        try:
            yield
        except aiodocker.DockerError as error:
            raise self._refusal(error) from None
        except AnswerTooLargeError:
            raise EngineError(f"The answer is larger than {_LARGEST_BYTES // 1024**2} MB") from None
        except (aiohttp.ClientError, OSError) as error:  # OSError: TimeoutError too
            raise EngineError(self._reason(error)) from None
        except RuntimeError:  # aiohttp's word for a session that was closed meanwhile
            raise EngineError("The connection was closed") from None
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError):
            raise EngineError(_NOT_DOCKER) from None

    def _refusal(self, error: aiodocker.DockerError) -> EngineError:
        cause = error.__context__
        if isinstance(cause, (aiohttp.ClientError, OSError)):  # no answer at all
            return EngineError(self._reason(cause))
        reason = shorten(one_line(self._secrets.hide(str(error.message))), _REASON_CHARACTERS)
        if error.status == 403 and not reason:
            reason = "not allowed"
        return EngineRefusedError(error.status, f"Docker refused: {reason or error.status}")

    def _reason(self, error: aiohttp.ClientError | OSError) -> str:
        if isinstance(error, UnixClientConnectorError):
            number = error.os_error.errno
            if number == errno.ENOENT:
                return f"There is no socket {self._where}. Does Docker run, and is the socket mounted for the bot?"
            if number in (errno.EACCES, errno.EPERM):
                return f"The bot may not open {self._where}. Add its user to the group of the socket (mostly docker)"
            if number == errno.ECONNREFUSED:
                return f"No one answers at {self._where}. Does Docker run?"
        if isinstance(error, aiohttp.TooManyRedirects):
            return "The requests are redirected in circles"
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return f"{self._where} closed the connection without an answer. Does Docker run there?"
        return explain(error)


def _checked(name: str) -> str:
    """Return a name or id of a container or network, safe in an address. Raises InvalidConfigError."""
    if not _NAME.fullmatch(name):
        raise InvalidConfigError(
            f"“{shorten(one_line(name), 60)}” is no name of Docker's: letters, digits, dots, dashes and underscores"
        )
    return name


def _checked_image(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,511}", name) or ".." in name:
        raise InvalidConfigError(f"“{shorten(one_line(name), 60)}” is no name of an image")
    return name


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("not an object")
    return value
