"""What serves: nginx, Redis, MariaDB, Mosquitto and OpenSSH. PostgreSQL is the tests' own, in tests/conftest.py."""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.services import HOST, Service, accepts, answers, required, running, service

USERNAME = "homelab"
PASSWORD = "correct horse"


@service
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An nginx that gives its numbers at /status, and 404 elsewhere."""
    binary = required("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    bodies = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

    def command(port: int) -> list[str]:
        temporary = "\n".join(f"  {name}_temp_path {folder}/{name};" for name in bodies)
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nuser {getpass.getuser()};\nevents {{}}\n"
            f"http {{\n  access_log off;\n{temporary}\n"
            f"  server {{\n    listen {HOST}:{port};\n    location = /status {{ stub_status; }}\n"
            "    location / { return 404; }\n  }\n}\n"
        )
        return [binary, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]

    with running("nginx", command, folder, answers("/status")) as port:
        yield Service(port, folder)


@contextlib.contextmanager
def running_redis(folder: Path, *options: str) -> Iterator[Service]:
    """A Redis with a password and further options; what it holds is gone afterwards."""
    binary = required("redis-server")

    def command(port: int) -> list[str]:
        place = ["--bind", HOST, "--port", str(port), "--dir", str(folder)]
        return [binary, *place, "--requirepass", PASSWORD, "--save", "", *options]

    with running("redis", command, folder) as port:
        yield Service(port, folder, password=PASSWORD)


@service
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A Redis with a password."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@service
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A MariaDB with the database `lab`, where the user `homelab` may do everything."""
    with running_mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@contextlib.contextmanager
def running_mariadb(folder: Path, *options: str) -> Iterator[Service]:
    """The same with further options."""
    binary, installer = required("mariadbd", "mariadb"), required("mariadb-install-db", "mariadb")
    user = getpass.getuser()
    data = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={user}"]
    plain = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([installer, *data, *plain], capture_output=True, check=True)
    (folder / "start.sql").write_text(
        f"CREATE DATABASE lab;\nCREATE USER '{USERNAME}'@'{HOST}' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON lab.* TO '{USERNAME}'@'{HOST}';\n"
    )

    def command(port: int) -> list[str]:
        place = [f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}", f"--init-file={folder / 'start.sql'}"]
        return [binary, *data, *place, f"--bind-address={HOST}", f"--port={port}", "--skip-name-resolve", *options]

    with running("mariadb", command, folder) as port:
        yield Service(port, folder, USERNAME, PASSWORD)


@service
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An MQTT broker that asks for a password."""
    binary, passwords = required("mosquitto"), required("mosquitto_passwd", "mosquitto")
    folder = tmp_path_factory.mktemp("mosquitto")
    subprocess.run([passwords, "-b", "-c", folder / "passwords", USERNAME, PASSWORD], capture_output=True, check=True)

    def command(port: int) -> list[str]:
        (folder / "mosquitto.conf").write_text(
            f"listener {port} {HOST}\nallow_anonymous false\npassword_file {folder}/passwords\npersistence false\n"
            f"user {getpass.getuser()}\nsys_interval 1\n"
        )
        return [binary, "-c", str(folder / "mosquitto.conf")]

    with running("mosquitto", command, folder) as port:
        yield Service(port, folder, USERNAME, PASSWORD)


@dataclass(frozen=True, slots=True)
class SshServer(Service):
    """An SSH server that lets the user of the tests in, with one key."""

    private_key: str = ""
    """The client's, in OpenSSH's format, without a passphrase."""
    host_key: str = ""
    """The server's public key, as known_hosts has it after the address."""


@service
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """An SSH server for who runs the tests."""
    binary, keygen = required("sshd"), required("ssh-keygen")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "client"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_bytes((folder / "client.pub").read_bytes())
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it insists to be locked in before the login

    def command(port: int) -> list[str]:
        (folder / "sshd_config").write_text(
            f"ListenAddress {HOST}:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n"
            f"PidFile {folder}/sshd.pid\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n"
            "KbdInteractiveAuthentication no\nUseDNS no\nSubsystem sftp internal-sftp\n"
        )
        return [binary, "-D", "-e", "-f", str(folder / "sshd_config")]

    with running("sshd", command, folder, accepts) as port:
        yield SshServer(
            port,
            folder,
            getpass.getuser(),
            private_key=(folder / "client").read_text(),
            host_key=(folder / "host.pub").read_text().strip(),
        )
