"""Publish a message on an MQTT broker."""

from __future__ import annotations

import json
import ssl
from typing import Any

from pydantic import Field, field_validator

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionFailedError, ActionResult, action_types
from app.bot.infrastructure.network.errors import explain, explain_cause
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.threads import in_thread

_CONNECT_SECONDS = 15
_WILDCARDS = ("+", "#", "\0")


@action_types.register("mqtt_publish")
class MqttPublish(Action, title="MQTT publish"):
    """Publishes a message on an MQTT broker, such as a command for a switch."""

    host: str = Field(min_length=1, max_length=253, description="Host name or address of the broker")
    port: int = Field(1883, ge=1, le=65_535, description="Port; 8883 for TLS on most brokers")
    username: str = Field("", max_length=1_000, description="User name; may be ${secret:name}; empty for none")
    password: str = Field("", max_length=1_000, description="Best as ${secret:name}")
    tls: bool = Field(False, description="Speak TLS with the broker")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    topic: str = Field(min_length=1, max_length=1_000, description="Such as zigbee2mqtt/rack/set")
    payload: str | dict[str, Any] | list[Any] = Field(
        "", description="What is published: a text, or JSON; texts may hold ${secret:name}"
    )
    qos: int = Field(1, ge=0, le=2, description="0: at most once, 1: at least once, 2: exactly once")
    retain: bool = Field(False, description="Have the broker keep it for whoever comes later")

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, topic: str) -> str:
        if any(mark in topic for mark in _WILDCARDS):
            raise ValueError("may not have + or # in it: those are for listening")
        return topic

    def describe(self) -> str:
        """Topic and broker."""
        return f"Publishes on {self.topic} at {self.host}{', to be kept' if self.retain else ''}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Publish it once, and wait until the broker says that it has it (QoS 1 and 2)."""
        resources = context.resources
        aiomqtt = await in_thread(_load, "load-mqtt")
        secrets = resources.secrets
        payload = await _sent(self.payload, secrets)
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=await secrets.fill(self.username) or None,
            password=await secrets.fill(self.password) or None,
            timeout=_CONNECT_SECONDS,
            tls_context=await in_thread(lambda: _tls(self.verify_tls), "mqtt-tls") if self.tls else None,
        )
        try:
            async with client:
                await client.publish(self.topic, payload, qos=self.qos, retain=self.retain)
        except aiomqtt.MqttError as error:
            raise ActionFailedError(f"The broker did not take it: {_reason(error)}.") from None
        except (OSError, ValueError) as error:
            raise ActionFailedError(f"The broker did not take it: {explain(error)}.") from None
        return ActionResult(f"Published on {self.topic}.")


def _load() -> Any:
    import aiomqtt

    return aiomqtt


def _tls(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _sent(payload: Any, secrets: SecretUse) -> bytes:
    if isinstance(payload, str):
        return (await secrets.fill(payload)).encode()
    return json.dumps(await secrets.fill_within(payload), ensure_ascii=False).encode()


def _reason(error: Exception) -> str:
    """Return what the library says; a failed connection stands in the error's cause."""
    if (reason := explain_cause(error)) is not None:
        return reason
    text = str(error).removeprefix("[code:").strip()
    return text.split("] ", 1)[-1] or "no reason was given"
