"""The gallery: every component type with realistic data, on a simulated Discord and a database of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import asyncpg
import yaml

from app.catalog.seed import act_as_catalog, insert_dashboard, insert_row

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>\d+)(?P<unit>[smhd])(?: at (?P<hour>\d\d):(?P<minute>\d\d))?")


def gallery(now: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """The definitions by table: data sources, actions, and dashboards with their components.

    Times in the files are written from now on, such as `!time +3h` or `!time +1d at 18:30` (UTC): events are always
    soon, and releases always new.
    """
    moment = now or datetime.now(UTC)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted((files("app.catalog") / "gallery").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            loader = _loader(moment)(entry.read_text(encoding="utf-8"))
            loaded: Mapping[str, list[dict[str, Any]]] = loader.get_data()
            for table, rows in loaded.items():
                found.setdefault(table, []).extend(rows)
    return found


async def define_gallery(connection: asyncpg.Connection, guild_id: int, channels: Mapping[str, int]) -> None:
    """Bring the gallery into the database, its dashboards into the channel that the page shows."""
    definitions = gallery()
    async with connection.transaction():
        await act_as_catalog(connection)
        for row in definitions.pop("dashboards"):
            await insert_dashboard(connection, guild_id, channels["homelab"], row)
        for table, rows in definitions.items():
            for row in rows:
                await insert_row(connection, table, row)


def _loader(now: datetime) -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        """Knows `!time`."""

    Loader.add_constructor("!time", lambda loader, node: _time(str(loader.construct_scalar(node)), now))  # type: ignore[arg-type]  # a scalar by the files' contract
    return Loader


def _time(text: str, now: datetime) -> str:
    """ISO 8601 for a distance from now. Raises ValueError for what is none."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is no distance such as +3h or -1d at 18:30")
    seconds = int(match["count"]) * _UNITS[match["unit"]]
    moment = now + timedelta(seconds=seconds if match["sign"] == "+" else -seconds)
    if match["hour"]:
        moment = moment.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    return moment.isoformat()
