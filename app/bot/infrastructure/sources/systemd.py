"""The systemd source."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.programs import run_program
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types

_KINDS = (".service", ".timer", ".socket", ".mount", ".target", ".path", ".device", ".scope", ".slice", ".swap")
_PROPERTIES = "Id,Description,LoadState,ActiveState,SubState,ActiveEnterTimestampMonotonic,MemoryCurrent,NRestarts"
_DETAILED = 200
"""Units whose memory and restarts are asked for: each takes systemd a moment."""
_MESSAGE_CHARACTERS = 300

Pattern = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^-\s][^\s]*$")]


@source_types.register("systemd")
class Systemd(Source, title="Systemd"):
    """Units of systemd on this machine: which run, which failed.

    Degraded when a unit failed, down when one that was named does not run or is not there. Metrics: unit.failed,
    unit.active, unit.count, and for each shown unit unit.uptime, unit.memory, unit.restarts. Tables: units, failed.
    """

    units: tuple[Pattern, ...] = Field(
        (), max_length=100, description="Units to show, such as nginx.service or docker-*; empty for those that failed"
    )
    ignored: tuple[Pattern, ...] = Field((), max_length=100, description="Units that may fail, such as motd-news.*")
    user: bool = Field(False, description="The units of the bot's own user instead of the system's")

    async def read(self, resources: Resources) -> Reading:
        """Ask systemctl. Raises ProgramFailedError or SourceFailedError."""
        everything = await self._list()
        failed = [
            unit for unit in everything if unit["active"] == "failed" and not _is_one_of(unit["unit"], self.ignored)
        ]
        wanted = [_full(name) for name in self.units]
        shown = [unit for unit in everything if _is_one_of(unit["unit"], wanted)] if wanted else failed
        plain = [name for name in wanted if not any(sign in name for sign in "*?[")]
        missing = [name for name in plain if name not in {unit["unit"] for unit in shown}]
        details = await self._details([*(unit["unit"] for unit in shown), *missing][:_DETAILED])
        rows = [_row(unit, details.get(unit["unit"], {})) for unit in shown]
        rows += [_row(_unloaded(name, details.get(name, {})), details.get(name, {})) for name in missing]
        status, message = _judge(rows, plain, failed)
        active = sum(unit["active"] == "active" for unit in everything)
        return Reading(
            datetime.now(UTC),
            status,
            message,
            (
                Metric("unit.failed", float(len(failed)), "count"),
                Metric("unit.active", float(active), "count"),
                Metric("unit.count", float(len(everything)), "count"),
                *(metric for row in rows for metric in _metrics(row)),
            ),
            {"units": rows[:MAX_ITEMS], "failed": [_row(unit, {}) for unit in failed[:MAX_ITEMS]]},
        )

    async def _list(self) -> list[dict[str, str]]:
        try:
            units = json.loads(await self._run("list-units", "--all", "--output=json"))
            return [
                {name: str(unit[name]) for name in ("unit", "load", "active", "sub", "description")} for unit in units
            ]
        except (ValueError, TypeError, KeyError):
            raise SourceFailedError("systemctl does not speak JSON: systemd 246 or newer is needed") from None

    async def _details(self, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
        if not names:
            return {}
        blocks = (await self._run("show", f"--property={_PROPERTIES}", "--", *names)).split("\n\n")
        found = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return {properties["Id"]: properties for properties in found if "Id" in properties}

    async def _run(self, *arguments: str) -> str:
        place = ["--user"] if self.user else []
        output = await run_program(["systemctl", *place, "--no-pager", *arguments])
        if output.code:
            raise SourceFailedError(f"systemctl failed: {output.reason}")
        return output.text


def _judge(
    rows: Sequence[Mapping[str, Any]], named: Sequence[str], failed: Sequence[Mapping[str, str]]
) -> tuple[Status, str]:
    away = [f"{row['unit']} ({row['state']})" for row in rows if row["unit"] in named and row["status"] == "down"]
    if away:
        return Status.DOWN, shorten(f"Not running: {', '.join(away)}", _MESSAGE_CHARACTERS)
    if failed:
        return Status.DEGRADED, shorten(f"Failed: {', '.join(unit['unit'] for unit in failed)}", _MESSAGE_CHARACTERS)
    return Status.UP, ""


def _row(unit: Mapping[str, str], details: Mapping[str, str]) -> dict[str, Any]:
    entered = _number(details.get("ActiveEnterTimestampMonotonic"))
    active = unit["active"] in ("active", "reloading")
    return {
        "unit": unit["unit"],
        "name": unit["description"] or unit["unit"],
        "status": _status(unit["active"]).value,
        "state": "not found" if unit["load"] == "not-found" else f"{unit['active']}: {unit['sub']}",
        "uptime": time.clock_gettime(time.CLOCK_MONOTONIC) - entered / 1e6 if entered and active else None,
        "memory": _number(details.get("MemoryCurrent")),
        "restarts": _number(details.get("NRestarts")),
    }


def _unloaded(name: str, details: Mapping[str, str]) -> dict[str, str]:
    """Return a unit that is not in memory: stopped, or not there at all."""
    return {
        "unit": name,
        "load": details.get("LoadState", "not-found"),
        "active": details.get("ActiveState", "inactive"),
        "sub": details.get("SubState", "dead"),
        "description": "" if details.get("LoadState") == "not-found" else details.get("Description", ""),
    }


def _status(active: str) -> Status:
    match active:
        case "active" | "reloading" | "refreshing":
            return Status.UP
        case "activating" | "deactivating" | "maintenance":
            return Status.DEGRADED
    return Status.DOWN


def _metrics(row: Mapping[str, Any]) -> tuple[Metric, ...]:
    labels = {"unit": row["unit"]}
    return (
        Metric("unit.uptime", row["uptime"], "seconds", labels),
        Metric("unit.memory", row["memory"], "bytes", labels),
        Metric("unit.restarts", row["restarts"], "count", labels, MetricKind.COUNTER),
    )


def _number(text: str | None) -> float | None:
    """Return a number; None for “[not set]”, also where old versions write the largest number there is."""
    if text is None or not text.isdecimal() or int(text) >= 2**63:
        return None
    return float(text)


def _full(name: str) -> str:
    """Return the name with its kind, as systemctl completes it."""
    return name if name.endswith((*_KINDS, "*")) else f"{name}.service"


def _is_one_of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
