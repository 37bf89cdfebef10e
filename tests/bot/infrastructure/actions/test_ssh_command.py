"""Commands on a real SSH server: what a user typed is one argument there too."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.bot.application.actions.base import FailedWithOutputError
from app.bot.infrastructure.actions.ssh_command import SshCommand
from app.bot.infrastructure.actions.systemd_unit import SystemdUnit
from app.bot.infrastructure.network.ssh import SshFailedError
from tests.bot.infrastructure.actions.conftest import Run
from tests.support.programs.servers import SshServer
from tests.support.services import HOST, free_port

HOSTILE = ["; echo injected", "$(echo injected)", "`echo injected`", "a  b", "x'y\"z", "line\nbreak", "${secret:token}"]


def login(sshd: SshServer) -> dict[str, Any]:
    return {
        "host": HOST,
        "port": sshd.port,
        "user": sshd.username,
        "ssh_key": sshd.private_key,
        "ssh_known_hosts": f"[{HOST}]:{sshd.port} {sshd.host_key}",
    }


async def test_arguments_arrive_as_they_are(run: Run, sshd: SshServer) -> None:
    config = {**login(sshd), "command": ["printf", "[%s]", *HOSTILE[:-1], "key ${secret:token}"]}

    result = await run("ssh_command", **config)

    assert result.output == "".join(f"[{text}]" for text in [*HOSTILE[:-1], "key •••"])


async def test_input_is_read_and_a_failure_keeps_what_was_printed(run: Run, sshd: SshServer) -> None:
    assert (await run("ssh_command", **login(sshd), command=["cat"], stdin="hello")).output == "hello"
    with pytest.raises(FailedWithOutputError, match="with status 3") as raised:
        await run("ssh_command", **login(sshd), command=["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert raised.value.output == "out\nerr\n"


async def test_a_host_that_is_not_known_is_not_spoken_to(run: Run, sshd: SshServer) -> None:
    with pytest.raises(SshFailedError, match="is not among the known hosts"):
        await run("ssh_command", **{**login(sshd), "ssh_known_hosts": f"other {sshd.host_key}"}, command=["id"])
    with pytest.raises(SshFailedError, match="Connection refused"):
        await run("ssh_command", **{**login(sshd), "port": free_port()}, command=["id"])


async def test_units_are_controlled_over_ssh_and_failures_are_said(run: Run, sshd: SshServer) -> None:
    with pytest.raises(FailedWithOutputError, match=r"systemctl did not restart no-such\.service|did not restart"):
        await run("systemd_unit", **login(sshd), unit="no-such.service")


@pytest.mark.parametrize("unit", ["", "-x", "a b.service", "a;b", "$(id)", "a\nb"])
def test_what_is_no_unit_is_refused(unit: str) -> None:
    with pytest.raises(ValidationError):
        SystemdUnit(unit=unit)


def test_a_command_needs_a_host_and_a_program() -> None:
    for wrong in ({"host": "", "command": ["id"]}, {"host": "nas", "command": []}, {"host": "nas", "command": [" "]}):
        with pytest.raises(ValidationError):
            SshCommand.model_validate(wrong)
