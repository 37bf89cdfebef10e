"""MQTT messages, published on a real broker."""

from __future__ import annotations

import asyncio
import json

import aiomqtt
import pytest
from pydantic import ValidationError

from app.bot.application.actions.base import ActionFailedError
from app.bot.infrastructure.actions.mqtt_publish import MqttPublish
from tests.bot.infrastructure.actions.conftest import Run, Secrets
from tests.support.services import HOST, Service, free_port


async def test_what_is_published_arrives(run: Run, mosquitto: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def of_the_broker(self: Secrets, name: str) -> str:
        return {"broker": mosquitto.password, "token": "s3cr3t-t0ken"}[name]

    monkeypatch.setattr(Secrets, "get", of_the_broker)
    login = {"host": HOST, "port": mosquitto.port, "username": mosquitto.username, "password": "${secret:broker}"}
    user, password = mosquitto.username, mosquitto.password
    async with aiomqtt.Client(HOST, mosquitto.port, username=user, password=password) as listener:
        await listener.subscribe("rack/#")
        result = await run("mqtt_publish", **login, topic="rack/set", payload={"state": "on", "key": "${secret:token}"})
        message = await asyncio.wait_for(anext(aiter(listener.messages)), 10)

    assert result.text == "Published on rack/set."
    assert str(message.topic) == "rack/set"
    assert isinstance(message.payload, bytes)
    assert json.loads(message.payload) == {"state": "on", "key": "s3cr3t-t0ken"}
    with pytest.raises(ActionFailedError, match="The broker did not take it"):
        await run("mqtt_publish", **{**login, "password": "wrong"}, topic="rack/set", payload="on")


async def test_no_broker_is_a_sentence(run: Run) -> None:
    with pytest.raises(ActionFailedError, match="The broker did not take it"):
        await run("mqtt_publish", host=HOST, port=free_port(), topic="rack/set", payload="on")


@pytest.mark.parametrize("topic", ["", "rack/+", "#"])
def test_a_topic_to_listen_to_is_none_to_publish_on(topic: str) -> None:
    with pytest.raises(ValidationError):
        MqttPublish(host="nas", topic=topic)
