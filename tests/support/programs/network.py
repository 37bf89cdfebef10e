"""Programs about the network, and those about the machine itself that need no server."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.services import free_port, required, running, service


@dataclass(frozen=True, slots=True)
class WireguardEnd:
    """An interface of WireGuard, with its keys."""

    interface: str
    private_key: str
    public_key: str


@service
def smartctl() -> Iterator[str]:
    """The real program; a machine of tests mostly has no disk for it."""
    yield required("smartctl")


@service
def wireguard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WireguardEnd, WireguardEnd]]:
    """Two ends of a tunnel on this machine; the first calls the second every second."""
    binary, wg, ip = required("wireguard-go"), required("wg"), required("ip")
    if os.getuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("WireGuard needs root, and /dev/net/tun")
    folder = tmp_path_factory.mktemp("wireguard")
    here, there = _end(wg, f"hla{os.getpid()}", folder), _end(wg, f"hlb{os.getpid()}", folder)

    def exists(interface: str) -> bool:
        shown = subprocess.run([wg, "show", interface], capture_output=True, check=False)
        return shown.returncode == 0

    with contextlib.ExitStack() as stack:
        for one in (here, there):
            command = [binary, "-f", one.interface]
            ready = running(one.interface, lambda _port, c=command: c, folder, lambda _port, i=one.interface: exists(i))
            stack.enter_context(ready)
            place = str(free_port())
            subprocess.run(
                [wg, "set", one.interface, "listen-port", place, "private-key", folder / one.interface], check=True
            )
        port = subprocess.run([wg, "show", there.interface, "listen-port"], capture_output=True, text=True, check=True)
        subprocess.run([wg, "set", there.interface, "peer", here.public_key, "allowed-ips", "10.99.0.1/32"], check=True)
        for one in (there, here):
            subprocess.run([ip, "link", "set", one.interface, "up"], check=True)
        reached = ["endpoint", f"127.0.0.1:{port.stdout.strip()}", "persistent-keepalive", "1"]
        peer = [wg, "set", here.interface, "peer", there.public_key, "allowed-ips", "10.99.0.2/32", *reached]
        subprocess.run(peer, check=True)
        yield here, there


def _end(wg: str, interface: str, folder: Path) -> WireguardEnd:
    private = subprocess.run([wg, "genkey"], capture_output=True, text=True, check=True).stdout.strip()
    public = subprocess.run([wg, "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()
    file = folder / interface
    file.touch(0o600)
    file.write_text(private)
    return WireguardEnd(interface, private, public)
