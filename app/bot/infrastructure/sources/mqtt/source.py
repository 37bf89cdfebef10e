"""The mqtt source."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.connections import client_tls
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, source_types
from app.bot.infrastructure.sources.json_mapping import JmesPath, number
from app.bot.infrastructure.sources.mqtt import feed as mqtt_feed
from app.bot.infrastructure.sources.mqtt.feed import Message, MqttFeed
from app.bot.infrastructure.threads import in_thread
from app.shared.jmespaths import PathError, search

_PAYLOAD_CHARACTERS = 300
_POLL_SECONDS = 2.0
"""Readings that new messages ask for are as far apart."""
_SETTLE_SECONDS = 0.5
_PROBLEMS_SHOWN = 3
_WORDS = {
    **dict.fromkeys(("on", "true", "online", "open", "yes", "connected", "home", "up"), 1.0),
    **dict.fromkeys(("off", "false", "offline", "closed", "no", "disconnected", "not_home", "down"), 0.0),
}
"""What switches and sensors say for 1 and 0."""


def _check_filter(topic: str) -> str:
    levels = topic.split("/")
    if any("#" in level and level != "#" for level in levels) or "#" in levels[:-1]:
        raise ValueError("# stands for all levels that follow: it must be the last one, and alone")
    if any("+" in level and level != "+" for level in levels):
        raise ValueError("+ stands for one level: it must be alone between two slashes")
    if "\0" in topic:
        raise ValueError("has a character that no topic may have")
    return topic


class TopicMapping(BaseModel):
    """Where a number is published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, description="Name of the metric")
    topic: Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_check_filter)] = Field(
        description="Topic, such as zigbee2mqtt/+/state; + stands for one level, # for all that follow"
    )
    path: JmesPath | None = Field(
        None, description="JMESPath within a payload of JSON; without it the payload is the number, or on and off"
    )
    levels: dict[str, int] = Field(
        default_factory=dict,
        max_length=10,
        description="Labels taken from the topic: name and level, counted from 1; the topic itself without any",
    )
    labels: dict[str, str] = Field(default_factory=dict, max_length=10, description="Labels that are always the same")
    unit: str = Field("", max_length=30, description="Unit, such as celsius, watt or percent")
    scale: float = Field(1.0, description="The number is multiplied by this")
    kind: MetricKind = Field(
        MetricKind.GAUGE, description="gauge goes up and down; counter only grows, and charts show how fast"
    )
    stale_seconds: float | None = Field(None, gt=0, description="Missing when nothing came for so long")

    def of(self, messages: Mapping[str, Message]) -> list[Message]:
        """Return the messages on its topics."""
        if not self._is_many:
            return [messages[self.topic]] if self.topic in messages else []
        return [message for topic, message in sorted(messages.items()) if _matches(self.topic, topic)]

    @property
    def _is_many(self) -> bool:
        return "+" in self.topic or "#" in self.topic

    def metric(self, message: Message | None, value: float | None) -> Metric:
        """Return the metric of a message, or the one that is missing."""
        labels = dict(self.labels)
        if message is not None:
            parts = message.topic.split("/")
            labels.update({name: parts[level - 1] for name, level in self.levels.items() if 0 < level <= len(parts)})
            if self._is_many and not self.levels:
                labels["topic"] = message.topic
        return Metric(self.name, None if value is None else value * self.scale, self.unit, labels, self.kind)

    def value(self, payload: str) -> float | None:
        """Return the number in a payload. Raises PathError."""
        if self.path is None:
            found: Any = payload.strip()
        else:
            try:
                found = search(self.path, json.loads(payload))
            except (ValueError, RecursionError):
                raise PathError("the payload is not JSON") from None
        if isinstance(found, str):
            found = _WORDS.get(found.casefold(), found or None)
        return number(found)


@source_types.register("mqtt")
class Mqtt(Source, title="MQTT"):
    """What is published on an MQTT broker: sensors and switches of Zigbee2MQTT, Tasmota, ESPHome, Shelly and others.

    A connection is kept, and a new message is shown at once. A topic with + or # becomes one metric for each topic,
    with labels from its levels. Down while there is no connection; degraded when a value is stale or is no number.
    Metrics: those of `metrics`, and topic.count. Table: messages, with topic, payload and received.
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address of the broker")
    port: int | None = Field(None, ge=1, le=65_535, description="Port; without it 1883, or 8883 with TLS")
    username: str = Field("", max_length=200, description="User name; may be ${secret:name}")
    password: str = Field("", description="Best as ${secret:name}")
    tls: bool = Field(False, description="Encrypt the connection")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    ca_certificate: str = Field(
        "", max_length=100_000, description="Certificate of your own authority: PEM text, or the path of a file"
    )
    version: Literal["3.1.1", "5"] = Field(
        "5", description="Version of MQTT. With 5, a broker is asked to send no message above 1 MiB"
    )
    metrics: tuple[TopicMapping, ...] = Field(min_length=1, max_length=200, description="The numbers to take")

    _feed: MqttFeed | None = PrivateAttr(None)
    _login: tuple[str, str] | None = PrivateAttr(None)
    _asking: asyncio.TimerHandle | None = PrivateAttr(None)
    _read_at: float = PrivateAttr(0.0)

    async def read(self, resources: Resources) -> Reading:
        """Return what was last published. Raises SourceFailedError while there is no connection."""
        self._asked()
        self._read_at = asyncio.get_running_loop().time()
        secrets = SecretUse(resources.secrets)
        username, password = await secrets.fill(self.username), await secrets.fill(self.password)
        if self._login != (username, password):
            await self.close()
            self._login = (username, password)
        if self._feed is None:
            tls = await client_tls(self.verify_tls, self.ca_certificate, secrets) if self.tls else None
            port = self.port or (8883 if self.tls else 1883)
            await in_thread(lambda: importlib.import_module("aiomqtt"), "import-aiomqtt")  # which takes its time
            broker = mqtt_feed.Broker(self.host, port, username, password, tls, self.version)
            client = mqtt_feed.make_client(broker)
            filters = list(dict.fromkeys(mapping.topic for mapping in self.metrics))
            self._feed = MqttFeed(client, filters, lambda: self._ask_for_poll(resources.poll_soon), _SETTLE_SECONDS)
        feed = self._feed
        messages = dict(await feed.messages())
        # Off the event loop: expressions over a thousand payloads may take a while.
        return await in_thread(lambda: self._reading(messages, feed.left_out, secrets), "mqtt")

    async def close(self) -> None:
        """Stop listening."""
        self._asked()
        if self._feed is not None:
            await self._feed.close()
            self._feed = None

    def _ask_for_poll(self, poll_soon: Callable[[], None]) -> None:
        if self._asking is None:
            loop = asyncio.get_running_loop()
            self._asking = loop.call_at(max(loop.time(), self._read_at + _POLL_SECONDS), poll_soon)

    def _asked(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _reading(self, messages: Mapping[str, Message], left_out: int, secrets: SecretUse) -> Reading:
        metrics: list[Metric] = []
        problems: list[str] = []
        silent: list[str] = []
        for mapping in self.metrics:
            found = mapping.of(messages)
            if not found:
                silent.append(mapping.topic)
                metrics.append(mapping.metric(None, None))
            metrics.extend(self._taken(mapping, found, problems, secrets))
        metrics.append(Metric("topic.count", float(len(messages)), "count"))
        if left_out:
            problems.append(f"{left_out} messages are left out: they are too large, or on more than 1,000 topics")
        status = Status.DEGRADED if problems else Status.UNKNOWN if silent else Status.UP
        told = [*problems, *(f"Nothing was published on {topic} yet" for topic in dict.fromkeys(silent))]
        more = len(told) - _PROBLEMS_SHOWN
        shown = [*told[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])]
        rows = [_row(message, secrets) for message in sorted(messages.values(), key=lambda one: -one.at)]
        return Reading(
            datetime.now(UTC), status, secrets.hide("; ".join(shown)), tuple(metrics), {"messages": rows[:MAX_ITEMS]}
        )

    def _taken(
        self, mapping: TopicMapping, found: list[Message], problems: list[str], secrets: SecretUse
    ) -> Iterator[Metric]:
        now = time.monotonic()
        for message in found:
            value = None
            if mapping.stale_seconds is not None and now - message.at > mapping.stale_seconds:
                problems.append(f"{message.topic}: nothing for more than {mapping.stale_seconds:g} seconds")
            else:
                try:
                    value = mapping.value(secrets.hide(message.payload.decode(errors="replace")))
                except PathError as error:
                    problems.append(f"{message.topic}: {error}")
            yield mapping.metric(message, value)


def _row(message: Message, secrets: SecretUse) -> dict[str, Any]:
    payload = one_line(secrets.hide(message.payload.decode(errors="replace")))
    return {
        "topic": secrets.hide(message.topic),
        "payload": shorten(payload, _PAYLOAD_CHARACTERS),
        "received": message.received.isoformat(),
    }


def _matches(pattern: str, topic: str) -> bool:
    """Whether a topic fits a filter (MQTT 5, section 4.7)."""
    if topic.startswith("$") and not pattern.startswith("$"):
        return False
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(one in ("+", level) for one, level in zip(wanted, levels, strict=True))
