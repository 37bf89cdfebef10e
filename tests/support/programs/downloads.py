"""What moves files: Transmission, qBittorrent and Syncthing. None of them talks to anybody outside the machine."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.services import HOST, Service, answers, free_port, required, running, service

USERNAME = "homelab"
PASSWORD = "correct horse"


@service
def transmission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A Transmission that asks for a password."""
    binary = required("transmission-daemon")
    folder = tmp_path_factory.mktemp("transmission")
    (folder / "downloads").mkdir()

    def command(port: int) -> list[str]:
        quiet = ["--no-dht", "--no-lpd", "--no-utp", "--no-portmap", "--bind-address-ipv4", HOST]
        login = ["--auth", "--username", USERNAME, "--password", PASSWORD, "--allowed", HOST]
        place = ["--config-dir", str(folder), "--download-dir", str(folder / "downloads")]
        ports = ["--rpc-bind-address", HOST, "--port", str(port), "--peerport", str(free_port())]
        return [binary, "--foreground", *ports, *login, *place, *quiet]

    with running("transmission", command, folder, answers("/transmission/rpc")) as port:
        yield Service(port, folder, USERNAME, PASSWORD)


@service
def qbittorrent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A qBittorrent whose password is set beforehand: newer ones make one up when they start, older ones have one."""
    binary = required("qbittorrent-nox")
    folder = tmp_path_factory.mktemp("qbittorrent")
    configuration = folder / "qBittorrent" / "config" / "qBittorrent.conf"
    configuration.parent.mkdir(parents=True)
    salt = b"sixteen bytes it"
    digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 100_000)
    stored = f"{base64.b64encode(salt).decode()}:{base64.b64encode(digest).decode()}"

    def command(port: int) -> list[str]:
        configuration.write_text(
            "[LegalNotice]\nAccepted=true\n"
            f"[BitTorrent]\nSession\\Port={free_port()}\nSession\\DHTEnabled=false\nSession\\LSDEnabled=false\n"
            f"Session\\PeXEnabled=false\nSession\\InterfaceAddress={HOST}\nSession\\DefaultSavePath={folder}/downloads\n"
            f"[Network]\nPortForwardingEnabled=false\n"
            f"[Preferences]\nWebUI\\Address={HOST}\nWebUI\\UseUPnP=false\nWebUI\\LocalHostAuth=true\n"
            f'WebUI\\Username={USERNAME}\nWebUI\\Password_PBKDF2="@ByteArray({stored})"\n'
        )
        return [binary, f"--profile={folder}", f"--webui-port={port}"]

    with running("qbittorrent", command, folder, answers()) as port:
        yield Service(port, folder, USERNAME, PASSWORD)


@service
def syncthing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A Syncthing with one folder; its password is the API key that it made up and wrote to its config.xml."""
    binary = required("syncthing")
    folder = tmp_path_factory.mktemp("syncthing")
    generated = [binary, "generate", f"--home={folder}", "--skip-port-probing"]
    subprocess.run(
        generated if b"skip-port-probing" in _help_of(binary) else generated[:-1],
        env={"HOME": str(folder), "PATH": ""},
        capture_output=True,
        check=True,
    )
    configuration = folder / "config.xml"
    text = configuration.read_text(encoding="utf-8")
    for name in (
        "globalAnnounceEnabled",
        "localAnnounceEnabled",
        "relaysEnabled",
        "natEnabled",
        "crashReportingEnabled",
    ):
        text = re.sub(f"<{name}>true</{name}>", f"<{name}>false</{name}>", text)
    text = text.replace("<listenAddress>default<", f"<listenAddress>tcp://{HOST}:0<")
    configuration.write_text(text, encoding="utf-8")
    (key,) = re.findall(r"<apikey>(.+?)</apikey>", text)

    def command(port: int) -> list[str]:
        options = ["--no-browser", "--no-restart", "--no-upgrade"]
        return [binary, "serve", f"--home={folder}", f"--gui-address=http://{HOST}:{port}", *options]

    with running("syncthing", command, folder, answers("/rest/noauth/health")) as port:
        yield Service(port, folder, password=key)


def _help_of(binary: str) -> bytes:
    return subprocess.run([binary, "generate", "--help"], capture_output=True, check=False).stdout
