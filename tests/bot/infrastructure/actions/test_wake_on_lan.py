"""Magic packets, sent to a socket that listens here."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import pytest
from pydantic import ValidationError

from app.bot.infrastructure.actions.base import ActionContext, ActionFailedError, ActionResources
from app.bot.infrastructure.actions.run_secrets import RunSecrets
from app.bot.infrastructure.actions.wake_on_lan import WakeOnLan, magic_packet


class Password:
    async def get(self, _name: str) -> str:
        return "0a0b0c0d0e0f"


def context() -> tuple[ActionContext, RunSecrets]:
    secrets, nothing = RunSecrets(Password()), cast("Any", None)
    return ActionResources(nothing, secrets, nothing, nothing).context(nothing, {}, nothing), secrets


async def test_the_packet_arrives_with_the_password() -> None:
    running, secrets = context()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        action = WakeOnLan(
            mac="00:11:22:aa:BB:cc",
            host="127.0.0.1",
            port=listening.getsockname()[1],
            password=secrets.mark("${secret:secureon}"),
        )

        result = await action.run(running)
        received = await asyncio.get_running_loop().sock_recv(listening, 1024)

    assert received == b"\xff" * 6 + bytes.fromhex("001122aabbcc") * 16 + bytes.fromhex("0a0b0c0d0e0f")
    assert "00:11:22:aa:BB:cc" in result.text


@pytest.mark.parametrize("mac", ["001122aabbcc", "00-11-22-aa-bb-cc", " 00:11:22:aa:bb:cc "])
def test_macs_are_written_in_several_ways(mac: str) -> None:
    assert magic_packet(WakeOnLan(mac=mac).mac) == b"\xff" * 6 + bytes.fromhex("001122aabbcc") * 16


@pytest.mark.parametrize(
    "mac", ["", "00:11:22:aa:bb", "00:11-22:aa:bb:cc", "gg:11:22:aa:bb:cc", "00:11:22:aa:bb:cc\n;x"]
)
def test_what_is_no_mac_is_refused(mac: str) -> None:
    with pytest.raises(ValidationError, match="no MAC address"):
        WakeOnLan(mac=mac)


async def test_a_wrong_password_and_an_unknown_host_are_said() -> None:
    running, _ = context()

    with pytest.raises(ActionFailedError, match="4 or 6 bytes"):
        await WakeOnLan(mac="001122aabbcc", password="0102").run(running)
    with pytest.raises(ActionFailedError, match="cannot be sent to nowhere"):
        await WakeOnLan(mac="001122aabbcc", host="nowhere.invalid").run(running)
