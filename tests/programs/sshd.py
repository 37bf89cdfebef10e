"""A real OpenSSH server on a free port, for the user who runs the tests."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import until

_CONFIG = """
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/client.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where it listens, who may log in, and by which keys each side is known."""

    port: int
    user: str
    known_hosts: str
    """A line as `ssh-keyscan` prints it."""
    key: str
    """The private key of the user, as text."""


@pytest.fixture
async def ssh_server(tmp_path: Path) -> AsyncIterator[SshServer]:
    """An SSH server that one key opens."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
    if program is None or shutil.which("ssh-keygen") is None:
        pytest.skip("openssh-server is not installed: run make test-services")
    folder = tmp_path / "sshd"
    folder.mkdir()
    for name in ("host", "client"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        await asyncio.to_thread(subprocess.run, key, check=True)
    (folder / "config").write_text(_CONFIG.format(folder=folder))
    await asyncio.to_thread(
        os.makedirs, "/run/sshd", exist_ok=True
    )  # sshd wants it for its own separation of privileges
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        program, "-D", "-e", "-f", str(folder / "config"), "-p", str(port), stderr=asyncio.subprocess.DEVNULL
    )

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listens, "sshd to listen")
        host = (folder / "host.pub").read_text().split()
        yield SshServer(
            port, getpass.getuser(), f"[127.0.0.1]:{port} {host[0]} {host[1]}\n", (folder / "client").read_text()
        )
    finally:
        process.terminate()
        await process.wait()
