from __future__ import annotations

import json
import os
import shutil
import time
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Metric, MetricKind, Status
from tests.support.fake_programs import FakePrograms

ALL = "--no-pager list-units --all --output=json"
SHOW = (
    "--no-pager show "
    "--property=Id,Description,LoadState,ActiveState,SubState,ActiveEnterTimestampMonotonic,MemoryCurrent,NRestarts -- "
)


def unit(name: str, active: str = "active", sub: str = "running", load: str = "loaded") -> dict[str, str]:
    """As systemd 252 prints it."""
    return {"unit": name, "load": load, "active": active, "sub": sub, "description": f"The {name}"}


def shown(name: str, load: str = "loaded", active: str = "active", **more: str) -> str:
    properties = {
        "Id": name,
        "Description": f"The {name}",
        "LoadState": load,
        "ActiveState": active,
        "SubState": "dead",
        "ActiveEnterTimestampMonotonic": f"{max(1, int((time.monotonic() - 1) * 1e6))}",
        "MemoryCurrent": "[not set]",
        "NRestarts": "0",
        **more,
    }
    return "".join(f"{key}={value}\n" for key, value in properties.items())


async def test_all_is_well(read: Any, programs: FakePrograms) -> None:
    units = [unit("nginx.service"), unit("ssh.service"), unit("old.service", "inactive", "dead")]
    programs.prints("systemctl", {ALL: json.dumps(units)})
    reading = await read("systemd")
    assert (reading.status, reading.message) == (Status.UP, "")
    counts = {metric.name: metric.value for metric in reading.metrics}
    assert counts == {"unit.failed": 0, "unit.active": 2, "unit.count": 3}
    assert reading.items == {"units": [], "failed": []}


async def test_failed_units_degrade_unless_ignored(read: Any, programs: FakePrograms) -> None:
    units = [unit("nginx.service"), unit("backup.service", "failed", "failed"), unit("motd-news.service", "failed")]
    names = "backup.service"
    programs.prints("systemctl", {ALL: json.dumps(units), SHOW + names: shown("backup.service", active="failed")})
    reading = await read("systemd", ignored=["motd-*"])
    assert (reading.status, reading.message) == (Status.DEGRADED, "Failed: backup.service")
    assert reading.metric("unit.failed").value == 1
    assert [(row["unit"], row["status"]) for row in reading.items["failed"]] == [("backup.service", "down")]
    assert reading.items["units"][0]["uptime"] is None


async def test_units_by_name_and_pattern(read: Any, programs: FakePrograms) -> None:
    units = [unit("nginx.service"), unit("docker-a.service"), unit("docker-b.service", "inactive", "dead")]
    names = "nginx.service docker-a.service docker-b.service"
    properties = "\n".join(
        (
            shown("nginx.service", MemoryCurrent="1048576", NRestarts="3"),
            shown("docker-a.service", MemoryCurrent="18446744073709551615"),
            shown("docker-b.service"),
        )
    )
    programs.prints("systemctl", {ALL: json.dumps(units), SHOW + names: properties})
    reading = await read("systemd", units=["nginx", "docker-*"])
    assert (reading.status, reading.message) == (Status.UP, "")
    nginx, first, second = reading.items["units"]
    assert (nginx["name"], nginx["state"], nginx["memory"]) == ("The nginx.service", "active: running", 1_048_576)
    assert 0 < nginx["uptime"] < 60
    assert (first["memory"], second["status"], second["uptime"]) == (None, "down", None)
    restarts = Metric("unit.restarts", 3.0, "count", {"unit": "nginx.service"}, MetricKind.COUNTER)
    assert reading.metric("unit.restarts", {"unit": "nginx.service"}) == restarts


async def test_a_named_unit_that_does_not_run_is_down(read: Any, programs: FakePrograms) -> None:
    units = [unit("nginx.service", "inactive", "dead")]
    properties = "\n".join((shown("nginx.service"), shown("nonsense.service", "not-found", "inactive")))
    programs.prints("systemctl", {ALL: json.dumps(units), SHOW + "nginx.service nonsense.service": properties})
    reading = await read("systemd", units=["nginx.service", "nonsense"])
    assert reading.status is Status.DOWN
    assert reading.message == "Not running: nginx.service (inactive: dead), nonsense.service (not found)"


async def test_a_machine_without_systemd(read: Any, programs: FakePrograms) -> None:
    complaint = "System has not been booted with systemd as init system (PID 1). Can't operate."
    programs.put("systemctl", f'#!/bin/sh\necho "{complaint}" >&2\nexit 1\n')
    with pytest.raises(HomelabError, match=r"systemctl failed: System has not been booted with systemd"):
        await read("systemd")
    programs.prints("systemctl", {ALL: "UNIT LOAD ACTIVE"})
    with pytest.raises(HomelabError, match="systemd 246 or newer is needed"):
        await read("systemd")


async def test_a_unit_is_no_option(read: Any) -> None:
    for wrong in ("--host=evil", "two words", ""):
        with pytest.raises(InvalidConfigError, match=r"units"):
            await read("systemd", units=[wrong])


async def test_the_real_one(read: Any) -> None:
    if shutil.which("systemctl") is None or not os.path.isdir("/run/systemd/system"):  # noqa: ASYNC240
        pytest.skip("systemd does not run here")
    reading = await read("systemd", units=["*.service"])
    assert reading.metric("unit.count").value > 0
    assert reading.items["units"]
