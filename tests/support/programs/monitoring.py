"""What watches machines: Prometheus, its node exporter, Netdata, Glances, an SNMP agent, and a UPS by NUT."""

from __future__ import annotations

import contextlib
import getpass
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.services import HOST, Service, answers, required, running, service

COMMUNITY = "homelab"
SNMP_USER = "homelab"
SNMP_PASSWORD = "authentication secret"
"""Of SNMP_USER, with SHA; AES encrypts with SNMP_PRIVACY_PASSWORD."""
SNMP_PRIVACY_PASSWORD = "privacy secret"
UPS = "rack"
_UPS_VARIABLES = {
    "ups.status": "OL CHRG",
    "ups.load": "23",
    "ups.model": "Smart-UPS 1500",
    "ups.mfr": "APC",
    "ups.realpower.nominal": "1000",
    "ups.temperature": "31.2",
    "battery.charge": "87",
    "battery.charge.low": "10",
    "battery.runtime": "2580",
    "battery.voltage": "27.1",
    "input.voltage": "229.8",
    "output.voltage": "230.1",
}


@service
def node_exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The exporter with its default collectors."""
    binary = required("prometheus-node-exporter")
    folder = tmp_path_factory.mktemp("node-exporter")
    with running(
        "node_exporter", lambda port: [binary, f"--web.listen-address={HOST}:{port}"], folder, answers()
    ) as port:
        yield Service(port, folder)


@contextlib.contextmanager
def running_prometheus(folder: Path, *targets: str) -> Iterator[Service]:
    """A Prometheus that reads itself and these targets each second, with an alert that always fires.

    It has read itself at least once.
    """
    binary = required("prometheus")

    def command(port: int) -> list[str]:
        rule = "{alert: Watchdog, expr: vector(1), labels: {severity: none}}"
        (folder / "rules.yml").write_text(f"groups: [{{name: lab, rules: [{rule}]}}]")
        own = f"  - {{job_name: prometheus, static_configs: [{{targets: ['{HOST}:{port}']}}]}}\n"
        others = f"  - {{job_name: lab, static_configs: [{{targets: {list(targets)}}}]}}\n" if targets else ""
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
            f"scrape_configs:\n{own}{others}"
        )
        return [
            binary,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{port}",
        ]

    def has_read_itself(port: int) -> bool:
        query = f"http://{HOST}:{port}/api/v1/query?query=prometheus_tsdb_head_series+and+on()+ALERTS"
        with urllib.request.urlopen(query, timeout=5) as response:
            return b'"value"' in response.read()

    with running("prometheus", command, folder, has_read_itself) as port:
        yield Service(port, folder)


@service
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A Prometheus that reads itself each second, with the alert Watchdog that always fires."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@service
def netdata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A Netdata without its cloud, its statistics and the plugins that need root, with an alarm that is raised."""
    binary = required("netdata")
    folder = tmp_path_factory.mktemp("netdata")
    for name in ("config", "cache", "lib", "log", "lock"):
        (folder / name).mkdir()
    (folder / "config" / "health.d").mkdir()
    (folder / "config" / "health.d" / "lab.conf").write_text(
        "alarm: always_raised\n on: system.load\n calc: $load1\n every: 1s\n warn: $this >= 0\n info: for the tests\n"
    )
    (folder / "config" / ".opt-out-from-anonymous-statistics").touch()

    def command(port: int) -> list[str]:
        configuration = folder / "config" / "netdata.conf"
        configuration.write_text(
            f"[global]\n run as user = {getpass.getuser()}\n hostname = lab\n"
            f"[directories]\n config = {folder}/config\n cache = {folder}/cache\n lib = {folder}/lib\n"
            f" log = {folder}/log\n lock = {folder}/lock\n home = {folder}/lib\n"
            f" health config = {folder}/config/health.d\n stock health config = {folder}/lib\n"
            f"[db]\n mode = ram\n retention = 600\n"
            f"[web]\n bind to = {HOST}\n default port = {port}\n"
            "[logs]\n debug = none\n error = stderr\n access = none\n"
            "[cloud]\n enabled = no\n"
            "[ml]\n enabled = no\n"
            "[statsd]\n enabled = no\n"
            "[plugins]\n enable running new plugins = no\n apps = no\n charts.d = no\n python.d = no\n go.d = no\n"
            " ebpf = no\n perf = no\n nfacct = no\n slabinfo = no\n cgroup-network = no\n tc = no\n"
        )
        return [binary, "-D", "-c", str(configuration)]

    def has_read(port: int) -> bool:
        with urllib.request.urlopen(f"http://{HOST}:{port}/api/v1/alarms", timeout=5) as response:
            return b"always_raised" in response.read()

    with running("netdata", command, folder, has_read) as port:
        yield Service(port, folder)


@service
def glances(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The REST API of Glances, without its web page."""
    binary = required("glances")
    folder = tmp_path_factory.mktemp("glances")
    (folder / "glances.conf").write_text("[outputs]\n")

    def command(port: int) -> list[str]:
        options = ["--disable-webui", "--disable-check-update", "--disable-autodiscover"]
        return [binary, "-w", "-B", HOST, "-p", str(port), "-C", str(folder / "glances.conf"), *options]

    with running("glances", command, folder, answers("/api/4/all")) as port:
        yield Service(port, folder)


@service
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An SNMP agent for the community `homelab` (v1, v2c) and for a user of v3."""
    binary = required("snmpd")
    folder = tmp_path_factory.mktemp("snmpd")

    def command(port: int) -> list[str]:
        (folder / "snmpd.conf").write_text(
            f"agentaddress udp:{HOST}:{port}\n"
            f"rocommunity {COMMUNITY} {HOST}\n"
            f'createUser {SNMP_USER} SHA "{SNMP_PASSWORD}" AES "{SNMP_PRIVACY_PASSWORD}"\n'
            f"rouser {SNMP_USER} priv\n"
            "sysName lab\nsysLocation rack\nsysContact nobody\n"
            "includeAllDisks 10%\nload 12 10 5\n"
        )
        return [binary, "-f", "-Lo", "-C", "-c", str(folder / "snmpd.conf"), "-p", str(folder / "snmpd.pid")]

    environment = {"SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder)}
    with running("snmpd", command, folder, _answers_snmp, environment=environment, kind=socket.SOCK_DGRAM) as port:
        yield Service(port, folder, SNMP_USER, COMMUNITY)


def _answers_snmp(port: int) -> bool:
    """Ask for sysDescr.0 with version 2c."""
    question = bytes.fromhex("a01c02040000000102010002010030 0e300c06082b060102010101000500")
    body = b"\x02\x01\x01\x04" + bytes([len(COMMUNITY)]) + COMMUNITY.encode() + question
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        probe.connect((HOST, port))
        probe.send(b"\x30" + bytes([len(body)]) + body)
        return bool(probe.recv(1500))


@service
def nut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A NUT server with the UPS `rack`, whose variables are those of the file rack.dev in its folder."""
    upsd, driver = required("upsd", "NUT"), required("dummy-ups", "NUT")
    folder = tmp_path_factory.mktemp("nut")
    user = getpass.getuser()
    variables = "".join(f"{name}: {value}\n" for name, value in _UPS_VARIABLES.items())
    (folder / f"{UPS}.dev").write_text(variables)
    (folder / "ups.conf").write_text(
        f"pollinterval = 1\n[{UPS}]\n driver = dummy-ups\n port = {folder}/{UPS}.dev\n mode = dummy-loop\n"
    )
    (folder / "upsd.users").write_text("[homelab]\n password = secret\n actions = SET\n instcmds = ALL\n")
    for name in ("ups.conf", "upsd.users"):
        (folder / name).chmod(0o600)

    def serve(port: int) -> list[str]:
        (folder / "upsd.conf").write_text(f"LISTEN {HOST} {port}\n")
        (folder / "upsd.conf").chmod(0o600)
        return [upsd, "-D", "-u", user]

    def has_socket(_port: int) -> bool:
        return (folder / f"dummy-ups-{UPS}").exists()

    def has_variables(port: int) -> bool:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            connection.sendall(f"GET VAR {UPS} battery.charge\n".encode())
            return connection.recv(200).startswith(b"VAR ")

    paths = {"NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder)}
    with (
        running(
            "dummy-ups", lambda _port: [driver, "-D", "-u", user, "-a", UPS], folder, has_socket, environment=paths
        ),
        running("upsd", serve, folder, has_variables, environment=paths) as port,
    ):
        yield Service(port, folder, "homelab", "secret")
