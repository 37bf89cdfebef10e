"""What adds itself to dashboards: any data source may offer rows that name the dashboard they want to be on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.bot.domain.readings.reading import Reading

DISCOVERED = "discovered"
"""The table of a reading with what adds itself to dashboards.

Its rows have `dashboard` and `name`, and may have `status`, `detail`, `icon`, `group`, `url` and `order`.
"""


def dashboard_key(name: object) -> str:
    """Return what names of one dashboard have in common."""
    return str(name).strip().casefold()


def offered_dashboards(reading: Reading) -> frozenset[str]:
    """Keys of the dashboards to which something in the reading adds itself."""
    return frozenset(dashboard_key(row.get("dashboard", "")) for row in reading.items.get(DISCOVERED, ()))


def rows_for(reading: Reading, dashboard: str) -> Sequence[Mapping[str, Any]]:
    """Return what the reading offers to a dashboard."""
    key = dashboard_key(dashboard)
    return [row for row in reading.items.get(DISCOVERED, ()) if dashboard_key(row.get("dashboard", "")) == key]
