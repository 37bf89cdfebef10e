"""Wake a machine by a magic packet."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import ClassVar

from pydantic import Field, field_validator

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionFailedError, ActionResult, action_types
from app.bot.infrastructure.network.errors import explain

_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:([:-]?)[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}")
_PASSWORD = re.compile(r"[0-9A-Fa-f]{2}([:-]?)[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){2}(?:(?:\1[0-9A-Fa-f]{2}){2})?")
_SEPARATORS = re.compile("[:-]")
_TIMES = 3
"""UDP may lose a packet, and a machine that is awake ignores them."""
_APART_SECONDS = 0.1


@action_types.register("wake_on_lan")
class WakeOnLan(Action, title="Wake on LAN"):
    """Wakes a machine in the local network.

    A magic packet is sent by UDP. The machine must have Wake-on-LAN switched on, and be in reach of the broadcast.
    """

    repeatable: ClassVar[bool] = True

    mac: str = Field(description="Address of the network card, such as 00:11:22:aa:bb:cc")
    host: str = Field(
        "255.255.255.255",
        min_length=1,
        max_length=253,
        description="Where the packet is sent: the network's broadcast address, such as 192.168.1.255",
    )
    port: int = Field(9, ge=1, le=65_535, description="UDP port, 9 or 7 for most cards")
    password: str = Field(
        "",
        max_length=200,
        description="SecureOn password of 4 or 6 bytes in hexadecimal, as ${secret:name}; empty for most cards",
    )

    @field_validator("mac")
    @classmethod
    def _is_mac(cls, value: str) -> str:
        if not _MAC.fullmatch(value.strip()):
            raise ValueError("is no MAC address; write six bytes such as 00:11:22:aa:bb:cc")
        return value.strip()

    def describe(self) -> str:
        """Name the machine, and where the packet goes."""
        return f"Sends a magic packet for {self.mac} to {self.host}, port {self.port}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Send the packet a few times."""
        resources = context.resources
        password = (await resources.secrets.fill(self.password)).strip()
        if password and not _PASSWORD.fullmatch(password):
            raise ActionFailedError(
                "The SecureOn password needs 4 or 6 bytes in hexadecimal, such as 00:11:22:aa:bb:cc."
            )
        packet = magic_packet(self.mac, password)
        try:
            await _send(packet, self.host, self.port)
        except OSError as error:
            raise ActionFailedError(f"The packet cannot be sent to {self.host}: {explain(error)}.") from None
        return ActionResult(f"Sent the magic packet for {self.mac}. The machine needs a moment to start.")


def magic_packet(mac: str, password: str = "") -> bytes:
    """Six bytes of 0xFF, 16 times the MAC address, and the password if there is one (AMD, Magic Packet white paper)."""
    address, secret = (bytes.fromhex(_SEPARATORS.sub("", text)) for text in (mac, password))
    return b"\xff" * 6 + address * 16 + secret


async def _send(packet: bytes, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, _, _, _, address = found[0]
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        if family == socket.AF_INET:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for number in range(_TIMES):
            if number:
                await asyncio.sleep(_APART_SECONDS)
            await loop.sock_sendto(channel, packet, address)
