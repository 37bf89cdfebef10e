"""Charts and history in memory, for components that draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.bot.domain.blocks.block import Block, Gallery, Image, Text
from app.bot.domain.charts.chart import ChartFailedError, ChartRequest, Picture
from app.bot.domain.components.component import RenderContext
from app.bot.domain.errors import UnknownSourceError
from app.bot.domain.formatting.regions import Region
from app.bot.domain.readings.history import History, HistoryQuery, SeriesHistory
from tests.support.rendering import NOW, TEMPLATES, metrics, store

Rows = Mapping[str, Sequence[SeriesHistory]]


def series(
    *values: float | None, unit: str = "percent", labels: Mapping[str, str] | None = None, metric: str = "cpu"
) -> SeriesHistory:
    return SeriesHistory(metric, tuple(sorted((labels or {}).items())), unit, values)


class MemoryHistories:
    """Gives the same rows for every query of a metric; a metric without rows is still being loaded."""

    def __init__(self, **rows: Sequence[SeriesHistory]) -> None:
        self.rows = rows
        self.queries: list[HistoryQuery] = []
        self.end: datetime = NOW

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        self.queries.append(query)
        if query.source == "gone":
            raise UnknownSourceError("There is no data source “gone”.")
        found = self.rows.get(query.metric)
        if found is None:
            return None
        length = max((len(one.values) for one in found), default=0)
        return History(self.end - timedelta(seconds=length * query.step_seconds), query.step_seconds, tuple(found))


class MemoryCharts:
    """Draws at once; the picture is the specification itself."""

    def __init__(self, failure: str = "") -> None:
        self.requests: list[ChartRequest] = []
        self.slots: list[str] = []
        self.failure = failure

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        self.requests.append(request)
        self.slots.append(slot)
        if self.failure:
            raise ChartFailedError(self.failure)
        return Picture(request.digest, request.specification.encode(), request.description)

    @property
    def spec(self) -> Any:
        """The last specification."""
        return json.loads(self.requests[-1].specification, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def drawing_context(
    histories: MemoryHistories | None = None,
    charts: MemoryCharts | None = None,
    region: Region | None = None,
    **readings: Any,
) -> RenderContext:
    """A context in which charts are drawn at once."""
    return RenderContext(
        NOW,
        store(**{"lab": metrics(), **readings}),
        TEMPLATES,
        {"name": "Lab", "id": 3},
        component_id=7,
        histories=histories or MemoryHistories(),
        charts=charts or MemoryCharts(),
        region=region or Region(),
    )


def texts(blocks: Sequence[Block]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


def image(blocks: Sequence[Block]) -> Image:
    (found,) = [one for block in blocks if isinstance(block, Gallery) for one in block.images]
    return found


def every(value: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    """Every part of a specification for which something holds."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if wanted(value) else []) + [found for one in inner for found in every(one, wanted)]
