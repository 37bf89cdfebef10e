"""What Prometheus' HTTP API answers: https://prometheus.io/docs/prometheus/latest/querying/api/"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS
from app.bot.infrastructure.sources.base import SourceFailedError

_ERROR_CHARACTERS = 200
_LABEL_CHARACTERS = 200
_FOREIGN = "The answer is not that of a Prometheus API: is the address its base, such as http://host:9090?"


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave: its type (scalar, string, vector, matrix), the data, and what the store warns of."""

    type: str
    data: Any
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of a result: values with their labels, rows of a table, and problems in words for the user."""

    values: list[tuple[dict[str, str], float | None]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def scaled(self, scale: float) -> Taken:
        """With all numbers multiplied."""
        if scale == 1.0:
            return self
        values = [(labels, None if value is None else value * scale) for labels, value in self.values]
        rows = [{**row, "value": row["value"] * scale} if isinstance(row["value"], float) else row for row in self.rows]
        return replace(self, values=values, rows=rows)


def parse(content: bytes, status: int, status_text: str) -> Result:
    """Return the result in an answer. Raises SourceFailedError with the API's own error, such as “bad_data: ...”."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and document.get("status") == "error":
        text = f"{document.get('errorType', 'error')}: {document.get('error', '')}"
        raise SourceFailedError(shorten(one_line(text), _ERROR_CHARACTERS))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise SourceFailedError(f"Answered {status_text}")
    data = document.get("data") if isinstance(document, dict) and document.get("status") == "success" else None
    if not isinstance(data, dict) or data.get("resultType") not in ("scalar", "string", "vector", "matrix"):
        raise SourceFailedError(_FOREIGN)
    warnings = document.get("warnings") or []
    told = [shorten(one_line(str(text)), _ERROR_CHARACTERS) for text in warnings] if isinstance(warnings, list) else []
    return Result(data["resultType"], data.get("result"), told)


def values(result: Result, limit: int, labels: Sequence[str] | None) -> Taken:
    """Return the newest value of each series, at most `limit` of them, with these labels or all but the name."""
    taken = Taken(problems=list(result.warnings))
    try:
        _take_values(result, limit, labels, taken)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        raise SourceFailedError(_FOREIGN) from None
    return taken


def _take_values(result: Result, limit: int, labels: Sequence[str] | None, taken: Taken) -> None:
    if result.type == "scalar":
        value = _number(result.data)
        taken.values.append(({}, value))
        taken.rows.append({"value": value})
        return
    if result.type == "string":
        text = shorten(str(result.data[1]), _LABEL_CHARACTERS)
        taken.values.append(({}, _number_or_none(text)))
        taken.rows.append({"value": text})
        return
    seen: set[tuple[tuple[str, str], ...]] = set()
    repeated = 0
    for series in result.data[:limit]:
        kept = _labels(series, labels)
        key = tuple(sorted(kept.items()))
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        value = _newest(series, taken.problems)
        taken.values.append((kept, value))
        taken.rows.append({**kept, "value": value})
    if repeated:
        taken.problems.append(f"{repeated} series differ only in labels that are not kept")
    _tell_cut(len(result.data), limit, taken)


def points(result: Result, limit: int) -> Taken:
    """Return the rows of a range query: time, value and labels, the newest MAX_ITEMS of all series, oldest first."""
    taken = Taken(problems=list(result.warnings))
    if result.type != "matrix":
        raise SourceFailedError(_FOREIGN)
    try:
        rows: list[tuple[float, dict[str, Any]]] = []
        for series in result.data[:limit]:
            labels = _labels(series, None)
            share = max(1, MAX_ITEMS // min(limit, len(result.data)))
            for moment, value in series.get("values", ())[-share:]:
                shown = datetime.fromtimestamp(float(moment), UTC).isoformat()
                rows.append((float(moment), {**labels, "time": shown, "value": _number((moment, value))}))
        rows.sort(key=lambda row: row[0])
        taken.rows.extend(row for _, row in rows)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, OSError):
        raise SourceFailedError(_FOREIGN) from None
    _tell_cut(len(result.data), limit, taken)
    return taken


def _tell_cut(found: int, limit: int, taken: Taken) -> None:
    if found > limit:
        taken.problems.append(f"{found} series, of which the first {limit} are kept")


def _newest(series: Any, problems: list[str]) -> float | None:
    """Return the value of a vector's series, or the last one of a matrix'."""
    if "value" in series:
        return _number(series["value"])
    if series.get("values"):
        return _number(series["values"][-1])
    told = "a native histogram has no single value: use histogram_quantile()"
    if ("histogram" in series or "histograms" in series) and told not in problems:
        problems.append(told)
    return None


def _labels(series: Any, wanted: Sequence[str] | None) -> dict[str, str]:
    found = {str(name): shorten(str(value), _LABEL_CHARACTERS) for name, value in series["metric"].items()}
    if wanted is not None:
        return {name: found[name] for name in wanted if name in found}
    found.pop("__name__", None)
    return found


def _number(sample: Any) -> float | None:
    """Return a sample's value, None for NaN and infinities."""
    _, text = sample
    value = float(text)
    return value if abs(value) < float("inf") else None


def _number_or_none(text: str) -> float | None:
    try:
        return _number((0, text))
    except ValueError:
        return None
