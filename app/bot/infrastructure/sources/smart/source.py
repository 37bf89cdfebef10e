"""The smart source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.programs import run_program
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.smart.disks import Disk, Limits, parse_disk

_MESSAGE_CHARACTERS = 400

DevicePath = Annotated[str, Field(pattern=r"^/dev/[\w./:-]+(,[\w+,]+)?$", max_length=200)]


@source_types.register("smart")
class Smart(Source, title="SMART"):
    """The health of this machine's disks by S.M.A.R.T.: passed or failed, temperature, hours, bad sectors, wear.

    Down when a disk says that it fails, degraded when it has bad sectors or errors, is hot or worn. Metrics for each
    disk: disk.healthy (1 or 0), disk.temperature, disk.power_on, disk.reallocated, disk.pending, disk.uncorrectable,
    disk.wear (percent of its life), disk.spare, disk.errors, disk.written. Table: disks.
    """

    devices: tuple[DevicePath, ...] = Field(
        (),
        max_length=100,
        description="Disks, such as /dev/sda; with a type behind a comma where smartctl needs one, such as "
        "/dev/sda,sat. Empty for all that it finds",
    )
    wake: bool = Field(False, description="Wake up disks that sleep; otherwise they are left alone and shown as asleep")
    hot_celsius: float = Field(60, gt=0, le=200, description="Degraded when a disk is hotter")
    worn_percent: float = Field(90, gt=0, le=255, description="Degraded when more of a disk's life is used up")
    sudo: bool = Field(False, description="Run smartctl by sudo, where the bot's user may do so without a password")

    async def read(self, resources: Resources) -> Reading:
        """Ask each disk, one after the other. Raises ProgramFailedError or SourceFailedError."""
        limits = Limits(self.hot_celsius, self.worn_percent)
        disks = [parse_disk(name, await self._ask(name, kind), limits) for name, kind in await self._devices()]
        worst = max((disk.status for disk in disks), key=lambda status: status.severity)
        problems = [f"{disk.name}: {disk.problem}" for disk in disks if disk.problem and disk.status is not Status.UP]
        return Reading(
            datetime.now(UTC),
            worst,
            shorten("; ".join(problems), _MESSAGE_CHARACTERS),
            tuple(metric for disk in disks for metric in _metrics(disk)),
            {"disks": [disk.row() for disk in disks]},
        )

    async def _devices(self) -> list[tuple[str, str]]:
        """Paths with the type that smartctl needs to know, or an empty one."""
        if self.devices:
            return [(path, kind) for path, _, kind in (device.partition(",") for device in self.devices)]
        found = await self._run("--scan")
        devices = [
            (str(device["name"]), str(device.get("type", "")))
            for device in found.get("devices", [])
            if isinstance(device, dict) and "name" in device
        ]
        if not devices:
            raise SourceFailedError("smartctl finds no disk. In a container, pass the disks on with `devices:`")
        return devices

    async def _ask(self, path: str, kind: str) -> dict[str, Any]:
        asleep = [] if self.wake else ["--nocheck=standby"]
        return await self._run("--all", *asleep, *([f"--device={kind}"] if kind else []), path)

    async def _run(self, *arguments: str) -> dict[str, Any]:
        output = await run_program(["smartctl", "--json", *arguments], sudo=self.sudo)
        try:
            found = json.loads(output.text)
        except ValueError:
            raise SourceFailedError(f"smartctl failed: {output.reason}") from None
        if not isinstance(found, dict) or not isinstance(found.get("smartctl"), dict):
            raise SourceFailedError("smartctl does not speak JSON: smartmontools 7.0 or newer is needed")
        return found


def _metrics(disk: Disk) -> Sequence[Metric]:
    labels = {"disk": disk.name}
    healthy = None if disk.passed is None else float(disk.passed)
    values = (
        ("disk.healthy", healthy, ""),
        ("disk.temperature", disk.temperature, "celsius"),
        ("disk.power_on", disk.power_on_hours, "hours"),
        ("disk.reallocated", disk.reallocated, "count"),
        ("disk.pending", disk.pending, "count"),
        ("disk.uncorrectable", disk.uncorrectable, "count"),
        ("disk.wear", disk.wear, "percent"),
        ("disk.spare", disk.spare, "percent"),
        ("disk.errors", disk.errors, "count"),
        ("disk.written", disk.written, "bytes"),
    )
    # A spinning disk has no wear and an SSD by NVMe no sectors: what a disk cannot tell is no metric of it.
    return [Metric(name, value, unit, labels) for name, value, unit in values if value is not None]
