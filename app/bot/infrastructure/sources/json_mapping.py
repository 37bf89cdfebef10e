"""Taking metrics, tables and a status out of JSON with JMESPath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Status
from app.shared.jmespaths import PathError, check_path, search

_UP = ("up", "ok", "online", "healthy", "running", "active", "available", "success", "pass", "true", "1")
_SHOWN_CHARACTERS = 40


def _check_path(path: str) -> str:
    try:
        check_path(path)
    except PathError as error:
        raise ValueError(str(error)) from None
    return path


JmesPath = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_check_path)]
"""A JMESPath expression (https://jmespath.org), compiled when the config is validated."""


@dataclass(slots=True)
class Extract:
    """What the mappings took out. `problems` are the mappings that did not fit, in words for the user."""

    metrics: list[Metric] = field(default_factory=list)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class MetricMapping(BaseModel):
    """Where a number is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, description="Name of the metric")
    path: JmesPath = Field(description="JMESPath to the number, such as system.cpu.load")
    unit: str = Field("", max_length=30, description="Unit, such as percent, bytes or seconds")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that tell metrics of one name apart")
    scale: float = Field(1.0, description="The number is multiplied by this, such as 1024 for KiB to bytes")
    kind: MetricKind = Field(
        MetricKind.GAUGE, description="gauge goes up and down; counter only grows, and charts show how fast"
    )

    def take(self, document: Any, extract: Extract) -> None:
        """Add the metric. A path that gives nothing is a missing value; one of a wrong type is too, and is told."""
        value = None
        try:
            value = number(search(self.path, document))
        except PathError as error:
            extract.problems.append(f"{self.name}: {error}")
        scaled = None if value is None else value * self.scale
        extract.metrics.append(Metric(self.name, scaled, self.unit, self.labels, self.kind))


class ItemMapping(BaseModel):
    """Where a table is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, description="Name of the table")
    path: JmesPath = Field(description="JMESPath to a list, such as containers or data[?state=='running']")
    fields: dict[str, JmesPath] = Field(
        default_factory=dict, description="Columns, each with a JMESPath within a row; empty takes rows as they are"
    )

    def take(self, document: Any, extract: Extract) -> None:
        """Add the table, at most MAX_ITEMS rows of it; a path that gives nothing is an empty table."""
        rows: list[dict[str, Any]] = []
        extract.items[self.name] = rows
        try:
            rows.extend(self._row(row) for row in rows_of(search(self.path, document))[:MAX_ITEMS])
        except PathError as error:
            extract.problems.append(f"{self.name}: {error}")

    def _row(self, row: Any) -> dict[str, Any]:
        if self.fields:
            return {name: search(path, row) for name, path in self.fields.items()}
        return row if isinstance(row, dict) else {"value": row}


class StatusMapping(BaseModel):
    """Where the status is, and what its values mean; any other value is down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: JmesPath = Field(description="JMESPath to a text, a number or true and false")
    up: tuple[str, ...] = Field(_UP, description="Values that mean up, in any case")
    degraded: tuple[str, ...] = Field(("degraded", "warning", "warn"), description="Values that mean degraded")

    def read(self, document: Any) -> tuple[Status, str]:
        """Return the status and what it means."""
        try:
            value = search(self.path, document)
        except PathError as error:
            return Status.UNKNOWN, f"status: {error}"
        if value is None:
            return Status.UNKNOWN, "The status is not in the answer"
        text = str(value)
        if text.casefold() in {known.casefold() for known in self.up}:
            return Status.UP, ""
        degraded = text.casefold() in {known.casefold() for known in self.degraded}
        return Status.DEGRADED if degraded else Status.DOWN, f"Status: {shorten(text, _SHOWN_CHARACTERS)}"


def number(value: Any) -> float | None:
    """Return a number, or a text or truth that is one; None for nothing. Raises PathError."""
    if value is None:
        return None
    if not isinstance(value, (bool, int, float, str)):
        raise PathError(f"the path gives {_kind(value)}, not a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise PathError(f"“{shorten(str(value), _SHOWN_CHARACTERS)}” is not a number") from None


def rows_of(value: Any) -> list[Any]:
    """Return the rows of a table: a list, or one object; none for nothing. Raises PathError."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise PathError(f"the path gives {_kind(value)}, not a list")
    return value


def _kind(value: Any) -> str:
    kinds: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number")
