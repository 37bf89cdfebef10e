"""The Vega-Lite component."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from app.bot.domain.blocks.block import Block, Gallery, Image, Text
from app.bot.domain.charts.chart import ChartRequest
from app.bot.domain.charts.theme import WIDTH, Spec, Theme, look
from app.bot.domain.charts.time_axis import milliseconds, zone_of
from app.bot.domain.charts.value_axis import HUGE
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Label, Template, Title
from app.bot.domain.components.lines import title_lines
from app.bot.domain.components.types.chart import DRAWING
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.formatting.spans import TimeSpan, round_step, seconds_of
from app.bot.domain.readings.history import Aggregate, HistoryQuery

MAX_ROWS = 2_000
MAX_FIELDS = 20
MAX_TEXT = 200
MAX_SPEC = 100_000
"""Characters of a specification without its data."""
_STEPS = 150
_PAST_FIELDS = 4
_NESTED = 2
MAX_VALUES = 20_000
"""Of all datasets together: more would keep the event loop from everything else."""


class Cleaner:
    """Makes of rows from outside what JSON and Vega can take, and no more than MAX_VALUES values of them all."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def take(self, count: int) -> bool:
        """Whether so many more values fit."""
        self._left -= count
        return self._left >= 0

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the leading rows."""
        found: list[dict[str, Any]] = []
        for row in rows[:MAX_ROWS]:
            cleaned = dict(self._fields(row, 0))
            if self._left < 0:
                break
            found.append(cleaned)
        return found

    def _fields(self, row: Mapping[Any, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for key, value in islice(row.items(), MAX_FIELDS):
            if not self.take(1):
                return
            yield one_line(str(key)[: MAX_TEXT * 2])[:MAX_TEXT], self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return value if abs(value) < HUGE else None
        if isinstance(value, Mapping):
            return dict(self._fields(value, depth + 1)) if depth < _NESTED else None
        if isinstance(value, (list, tuple)):
            fits = depth < _NESTED and self.take(min(len(value), MAX_FIELDS))
            return [self._value(one, depth + 1) for one in value[:MAX_FIELDS]] if fits else None
        return one_line(str(value)[: MAX_TEXT * 2])[:MAX_TEXT]


class Dataset(BaseModel):
    """Rows that the specification knows by a name.

    With `items` they are those of a source. With `metric` and `range` there is a row for each step of its past (`time`,
    `value`, `series` and the labels), with `metric` alone one for each metric of that name now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    items: str = Field("", max_length=100, description="A list of items of the source, such as containers")
    metric: str = Field("", max_length=200, description="Or: a metric, such as cpu.percent")
    labels: dict[str, str] = Field(default_factory=dict, max_length=20, description="Labels that the metric must have")
    range: TimeSpan | None = Field(None, description="How far back, such as 24h; empty: only the value now")
    step: TimeSpan | None = Field(None, description="How long one step is, such as 5m; empty fits it to the range")
    aggregate: Aggregate = Field(Aggregate.AVG, description="What becomes of the values of one step")

    @model_validator(mode="after")
    def _one_kind(self) -> Dataset:
        if bool(self.items) == bool(self.metric):
            raise ValueError("fill in either items or metric")
        return self

    def rows(self, context: RenderContext, cleaner: Cleaner) -> list[dict[str, Any]] | None:
        """Return the rows as they are now; None while they are being loaded."""
        if self.items:
            return cleaner.rows(context.reading(self.source).items.get(self.items, ()))
        if self.range is not None:
            return self._past(context, seconds_of(self.range), cleaner)
        reference = MetricReference.model_construct(source=self.source, metric=self.metric, labels=self.labels)
        return [
            {**labels, "metric": metric.name, "value": metric.value, "unit": metric.unit}
            for metric in context.metrics(reference)[:MAX_ROWS]
            for labels in cleaner.rows([metric.labels])
        ]

    def _past(self, context: RenderContext, seconds: float, cleaner: Cleaner) -> list[dict[str, Any]] | None:
        step = seconds_of(self.step) if self.step is not None else round_step(seconds / _STEPS)
        step = max(step, seconds / MAX_ROWS)
        labels = tuple(sorted(self.labels.items()))
        history = context.history(HistoryQuery(self.source, self.metric, labels, seconds, step, self.aggregate))
        if history is None:
            return None
        rows: list[dict[str, Any]] = []
        zone = zone_of(context.region.time_zone)
        for series in history.series:
            known = next(iter(cleaner.rows([dict(series.labels)])), {})
            name = ", ".join(value for _, value in series.labels) or series.metric
            for index, value in enumerate(series.values[: MAX_ROWS - len(rows)]):
                if not cleaner.take(_PAST_FIELDS):
                    return rows
                at = history.start + timedelta(seconds=index * history.step_seconds)
                local = at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")
                number = value if value is None or math.isfinite(value) else None
                rows.append({**known, "time": local, "utc": milliseconds(at), "value": number, "series": name})
        return rows


@component_types.register("vega_lite")
class VegaLite(Component, title="Vega-Lite"):
    """A chart of your own as a Vega-Lite specification, with the data of sources as named datasets."""

    spec: dict[str, Any] = Field(description='The specification; {"data": {"name": "cpu"}} refers to the dataset cpu')
    datasets: Annotated[dict[str, Dataset], Field(max_length=10)] = Field(
        default_factory=dict, description="Data by the name that the specification uses"
    )
    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    description: Template = Field("", description="What is to be seen, for people who cannot; a Jinja2 template")
    width: int = Field(WIDTH, ge=100, le=1_000, description="Width, where the specification says none")
    height: int = Field(220, ge=60, le=1_000, description="Height, where the specification says none")
    theme: Theme = Field(Theme.DARK, description="Colours that suit Discord's dark or light side")
    label: Label = Field("", description="A name for it in lists; it is not shown")
    _drawn: tuple[object, ChartRequest] | None = PrivateAttr(None)

    def sources(self) -> frozenset[str]:
        """Those of the datasets; the specification reads none by itself."""
        return frozenset(dataset.source for dataset in self.datasets.values())

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the picture below its title. Raises ChartFailedError and InvalidConfigError."""
        lines = title_lines(context, self.title)
        cleaner = Cleaner()
        data = {name: dataset.rows(context, cleaner) for name, dataset in self.datasets.items()}
        words = shorten(one_line(context.plain(self.description)), 1_000) if self.description else ""
        if any(rows is None for rows in data.values()):
            return (Text("\n".join([*lines, DRAWING])),)
        if self._drawn is None or self._drawn[0] != (data, words):
            self._drawn = ((data, words), self._request(data, words))
        picture = context.picture(self._drawn[1])
        if picture is None:
            return (Text("\n".join([*lines, DRAWING])),)
        shown = Gallery((Image.of(picture),))
        return (Text("\n".join(lines)), shown) if lines else (shown,)

    def _request(self, data: Mapping[str, Any], words: str) -> ChartRequest:
        try:
            own = json.dumps(self.spec, allow_nan=False)
        except ValueError as error:
            raise InvalidConfigError("spec: a number in it is none or infinite; JSON has no such numbers") from error
        if len(own) > MAX_SPEC:
            raise InvalidConfigError(f"spec: at most {MAX_SPEC:,} characters; refer to data as datasets")
        return ChartRequest(json.dumps(self._whole(data), separators=(",", ":"), allow_nan=False), words)

    def _whole(self, data: Mapping[str, Any]) -> Spec:
        """Return the user's specification, with the theme and the size below it and the data beside it."""
        themed = look(self.theme)
        config = self.spec.get("config")
        spec: Spec = {**themed, **self.spec}
        if isinstance(config, dict):
            spec["config"] = _merged(themed["config"], config)
        if not {"hconcat", "vconcat", "concat", "repeat", "facet"} & spec.keys():
            spec.setdefault("width", self.width)
            spec.setdefault("height", self.height)
            spec.setdefault("autosize", {"type": "fit", "contains": "padding"})
        spec.setdefault("padding", 12)
        first: Spec = {"name": next(iter(data), None)} if data else {"values": [{}]}
        spec.setdefault("data", first)
        own = self.spec.get("datasets")
        return spec | {"datasets": {**(own if isinstance(own, dict) else {}), **data}}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Spec:
    merged: Spec = {**below, **above}
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = {**under, **value}
    return merged
