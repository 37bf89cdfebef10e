"""The newest messages of an MQTT broker, heard on a connection that is kept and opened again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.network.errors import explain_cause
from app.bot.infrastructure.sources.base import SourceFailedError
from app.shared.kit.backoff import Backoff

ANSWER_SECONDS = 10.0
"""How long a broker may take for each step."""
_QUIET = logging.getLogger("app.mqtt")
_QUIET.disabled = True  # anyone who reads the source tells of failures, once
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_MOST_TOPICS = 1_000
_LARGEST_PAYLOAD_BYTES = 64 * 1024
_MOST_BYTES = 8 * 1024 * 1024
"""Of all payloads together."""
_LARGEST_PACKET_BYTES = 1024 * 1024
"""What a broker is asked to send at most, where it speaks version 5."""
_MOST_WAITING = 1_000
_REFUSED_LOGIN = (4, 5, 134, 135)
"""Return codes of version 3.1.1 and reason codes of version 5."""
_WRONG_VERSION = (1, 132)


@dataclass(frozen=True, slots=True)
class Message:
    """What was last published on a topic. `at` is in seconds of a clock that never steps."""

    topic: str
    payload: bytes
    at: float
    received: datetime


class MqttFeed:
    """Listens to topics until it is closed. `client` makes a client for each connection."""

    def __init__(
        self, client: Callable[[], Any], filters: Sequence[str], changed: Callable[[], None], settle_seconds: float
    ) -> None:
        self._client = client
        self._filters = filters
        self._changed = changed
        self._settle_seconds = settle_seconds
        self._messages: dict[str, Message] = {}
        self._bytes = 0
        self._failure: str | None = None
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.left_out = 0
        """Messages that were too large, or too many."""

    async def messages(self) -> dict[str, Message]:
        """Return the newest message of each topic. Raises SourceFailedError while there is no connection."""
        if self._task is None or self._task.done():
            self._tried.clear()
            self._task = asyncio.create_task(self._listen(), name="mqtt")
        await self._tried.wait()
        if self._failure is not None:
            raise SourceFailedError(self._failure)
        return self._messages

    async def close(self) -> None:
        """Say goodbye to the broker."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while True:
            started = time.monotonic()
            try:
                await self._hear()
            except HomelabError as error:
                self._failure = str(error)
            except _failures() as error:
                self._failure = _reason(error)
            self._tried.set()
            self._changed()
            if time.monotonic() - started > _LONGEST_PAUSE_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _hear(self) -> None:
        async with self._client() as client:
            for topic in self._filters:
                self._check(topic, await client.subscribe(topic))
            loop = asyncio.get_running_loop()
            # What is retained comes at once; the first reading waits for it.
            settled = loop.call_later(self._settle_seconds, self._settle)
            try:
                async for message in client.messages:
                    self._keep(str(message.topic), message.payload)
            finally:
                settled.cancel()

    def _settle(self) -> None:
        self._failure = None
        self._tried.set()
        self._changed()

    @staticmethod
    def _check(topic: str, granted: Sequence[Any]) -> None:
        if any(getattr(code, "value", code) >= 128 for code in granted):
            raise SourceFailedError(f"The broker does not let this user listen to {topic}")

    def _keep(self, topic: str, payload: Any) -> None:
        content = payload if isinstance(payload, bytes) else str(payload or "").encode()
        before = self._messages.get(topic)
        size = self._bytes + len(content) - (0 if before is None else len(before.payload))
        too_many = before is None and len(self._messages) >= _MOST_TOPICS
        if len(content) > _LARGEST_PAYLOAD_BYTES or size > _MOST_BYTES or too_many:
            self.left_out += 1
            return
        self._bytes = size
        self._messages[topic] = Message(topic, content, time.monotonic(), datetime.now(UTC))
        if before is None or before.payload != content:
            self._changed()


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and how to log in to it."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None
    version: str


def make_client(broker: Broker) -> Callable[[], Any]:
    """Return what makes a client for each connection."""
    import aiomqtt
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = None
    if broker.version == "5":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library has no types here
        properties.MaximumPacketSize = _LARGEST_PACKET_BYTES
    return lambda: aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username or None,
        password=broker.password or None,
        tls_context=broker.tls,
        timeout=ANSWER_SECONDS,
        logger=_QUIET,
        protocol=aiomqtt.ProtocolVersion.V5 if broker.version == "5" else aiomqtt.ProtocolVersion.V311,
        properties=properties,
        max_queued_incoming_messages=_MOST_WAITING,
    )


def _failures() -> tuple[type[Exception], ...]:
    import aiomqtt

    # What an answer that is none does to the library: it parses without a check.
    return (aiomqtt.MqttError, OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)


def _reason(error: Exception) -> str:
    """Why there is no connection, without anything that was sent."""
    code = getattr(error, "rc", None)
    code = getattr(code, "value", code)
    if code in _REFUSED_LOGIN and type(error).__name__ == "MqttConnectError":
        return "The broker refuses the user name or password"
    if code in _WRONG_VERSION and type(error).__name__ == "MqttConnectError":
        return "The broker does not speak this version of MQTT: choose another"
    if (reason := explain_cause(error)) is not None:
        return reason
    if "timed out" in str(error).lower():
        return "The broker does not answer"
    return "The connection to the broker broke"
