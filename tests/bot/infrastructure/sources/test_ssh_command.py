"""Against a real sshd."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import nobody, raw_server
from tests.support.programs.servers import SshServer


@pytest.fixture
def run(read: Any, sshd: SshServer, resources: Resources) -> Any:
    async def run_once(*command: str, **config: Any) -> Reading:
        resources.secrets.values["key"] = sshd.private_key
        login = {
            "host": "127.0.0.1",
            "port": sshd.port,
            "user": sshd.username,
            "ssh_known_hosts": f"[127.0.0.1]:{sshd.port} {sshd.host_key}",
            "ssh_key": "${secret:key}",
        }
        reading = await read("ssh_command", **{**login, "command": command, **config})
        assert isinstance(reading, Reading)
        return reading

    return run_once


async def test_text(run: Any) -> None:
    reading = await run("printf", "17\\ntwo words\\n", metrics=[{"name": "load", "path": "to_number(lines[0])"}])
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metrics == (Metric("exit_code", 0.0), Metric("load", 17.0))
    assert reading.items["output"] == [{"line": "17"}, {"line": "two words"}]


async def test_every_argument_stays_one(run: Any) -> None:
    odd = ("two words", "$(id)", "`id`", "; id", "a'b\"c", "*", "line\nbreak", "ü", "")
    reading = await run("printf", "<%s>\\n", *odd)
    text = "\n".join(row["line"] for row in reading.items["output"])
    assert text == "\n".join(f"<{argument}>" for argument in odd)


async def test_json(run: Any) -> None:
    document = '{"pools": [{"name": "tank", "used": 5}], "health": "ONLINE"}'
    reading = await run(
        "sh",
        "-c",
        f"echo warning >&2; echo '{document}'",
        format="json",
        metrics=[{"name": "used", "path": "pools[0].used", "unit": "bytes", "scale": 1024}],
        items=[{"name": "pools", "path": "pools"}],
        status={"path": "health"},
    )
    assert reading.status is Status.UP
    assert reading.metric("used") == Metric("used", 5120.0, "bytes")
    assert reading.items == {"pools": [{"name": "tank", "used": 5}]}


async def test_the_exit_code_is_the_status(run: Any) -> None:
    command = ("sh", "-c", "echo checked; echo 'DISK WARNING - 85 %' >&2; exit 1")
    reading = await run(*command)
    assert (reading.status, reading.message) == (Status.DOWN, "DISK WARNING - 85 % (it ended with 1)")
    assert reading.metric("exit_code").value == 1
    assert (await run(*command, degraded_codes=[1])).status is Status.DEGRADED
    assert (await run(*command, up_codes=[0, 1])).status is Status.UP
    reading = await run("sh", "-c", "exit 7", format="json")
    assert (reading.status, reading.message) == (Status.DOWN, "The command ended with 7")
    reading = await run("sh", "-c", "kill -9 $$")
    assert (reading.status, reading.message) == (Status.DOWN, "The command ended by a signal")


async def test_what_is_no_json_or_no_number(run: Any) -> None:
    with pytest.raises(HomelabError, match="does not print JSON: it begins with “hello”"):
        await run("echo", "hello", format="json")
    with pytest.raises(HomelabError, match="does not print JSON: it prints nothing"):
        await run("true", format="json")
    reading = await run("echo", "hello", metrics=[{"name": "load", "path": "lines[0]"}])
    assert (reading.status, reading.message) == (Status.DEGRADED, "load: “hello” is not a number")


async def test_endless_output_is_not_kept(run: Any) -> None:
    reading = await run("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' 'x'; echo")
    assert len(reading.items["output"][0]["line"]) <= 1_100_000


async def test_secrets_do_not_come_back(run: Any) -> None:
    reading = await run("echo", "token=${secret:token}", metrics=[{"name": "size", "path": "length(text)"}])
    assert reading.items["output"] == [{"line": "token=•••"}]


async def test_another_host_key_is_refused(run: Any, sshd: SshServer) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHoRkIDmoVyQnyBNWoKq7AuUdWiJjkqfEG2Y1sZ9mBXD"
    with pytest.raises(HomelabError, match="is not among the known hosts"):
        await run("true", ssh_known_hosts=f"[127.0.0.1]:{sshd.port} {other}")
    with pytest.raises(HomelabError, match="is not among the known hosts"):
        await run("true", ssh_known_hosts=f"other.example {sshd.host_key}")


async def test_no_log_in(run: Any) -> None:
    with pytest.raises(HomelabError, match="refused the SSH log-in"):
        await run("true", ssh_key="", ssh_password="${secret:password}")


async def test_what_is_no_ssh_server(read: Any, sshd: SshServer) -> None:
    config = {"user": "me", "command": ["true"], "ssh_known_hosts": f"host {sshd.host_key}", "ssh_password": "x"}
    async with raw_server(b"HTTP/1.1 400 Bad\r\n\r\n") as url:
        with pytest.raises(HomelabError, match="No SSH connection"):
            await read("ssh_command", host="127.0.0.1", port=int(url.rpartition(":")[2]), **config)
    async with nobody() as url:
        with pytest.raises(HomelabError, match="No SSH connection: Connection refused"):
            await read("ssh_command", host="127.0.0.1", port=int(url.rpartition(":")[2]), **config)


async def test_wrong_configs_name_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match=r"command: .*the first one is the program"):
        await read("ssh_command", host="nas", command=[" "])
    with pytest.raises(InvalidConfigError, match="host"):
        await read("ssh_command", host="-oProxyCommand=id", command=["true"])
