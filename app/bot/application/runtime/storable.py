"""Readings made fit to keep: whatever a source returned, it can be stored as PostgreSQL's JSON and stays bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.shared.kit.text import postgres_safe_text

MAX_METRICS = 2_000
MAX_TABLES = 50
_MESSAGE_CHARACTERS = 500
_TEXT_CHARACTERS = 1_000
_ENTRIES = 100
"""Of one list or object within a cell."""
_DEPTH = 5
MAX_CHARACTERS = 4_000_000
"""Of all tables of a reading: it is kept in memory and in the database, and read again by every preview."""
_LARGEST_INTEGER = 2**63 - 1


def storable(reading: Reading) -> Reading:
    """Return the reading with texts that PostgreSQL can hold, plain JSON values in its items, and all sizes capped.

    Raises TypeError when it is no reading at all.
    """
    if not isinstance(reading, Reading):
        raise TypeError(f"expected a Reading, got {type(reading).__name__}")
    tables = list(reading.items.items())[:MAX_TABLES]
    return Reading(
        reading.taken_at,
        Status(reading.status),
        _text(reading.message, _MESSAGE_CHARACTERS),
        tuple(_metric(metric) for metric in reading.metrics[:MAX_METRICS]),
        _tables(tables),
    )


def _tables(tables: Sequence[tuple[str, Sequence[Any]]]) -> dict[str, tuple[dict[str, Any], ...]]:
    """Return the tables, each as far as there is room in the reading."""
    left = MAX_CHARACTERS
    kept: dict[str, tuple[dict[str, Any], ...]] = {}
    for name, rows in tables:
        fitting = []
        for row in rows[:MAX_ITEMS]:
            made = _row(row)
            left -= _size(made)
            if left < 0:
                break
            fitting.append(made)
        kept[_text(name)] = tuple(fitting)
    return kept


def _size(value: Any) -> int:
    """About how many characters a value is as JSON."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _size(entry) for key, entry in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else 8


def _metric(metric: Metric) -> Metric:
    labels = {_text(key): _text(value) for key, value in metric.labels.items()}
    value = None if metric.value is None else float(metric.value)
    return Metric(_text(metric.name), value, _text(metric.unit), labels, MetricKind(metric.kind))


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return {_text(key): _value(value) for key, value in list(row.items())[:_ENTRIES]}
    return {"value": _value(row)}


def _value(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_INTEGER else _huge(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (Mapping, list, tuple)) and depth < _DEPTH:
        if isinstance(value, Mapping):
            return {_text(key): _value(entry, depth + 1) for key, entry in list(value.items())[:_ENTRIES]}
        return [_value(entry, depth + 1) for entry in value[:_ENTRIES]]
    return _text(value.isoformat() if isinstance(value, (date, datetime)) else value)


def _huge(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _text(value: object, limit: int = _TEXT_CHARACTERS) -> str:
    return postgres_safe_text(shorten(str(value), limit), nul="")
