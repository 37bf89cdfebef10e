"""From answers to a reading: the mappings of an integration."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.integrations.definition import SourceDefinition
from app.bot.domain.integrations.mappings import IntegrationMetric, IntegrationTable
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.integrations.functions import FUNCTIONS
from app.bot.infrastructure.integrations.numbers import parse_number
from app.bot.infrastructure.sources.json_mapping import rows_of
from app.shared.expressions import CelExpressions, ExpressionError
from app.shared.group_patterns import find_group
from app.shared.jmespaths import PathError, search

_PROBLEMS_SHOWN = 3
_LINES, _LINE_CHARACTERS = 2_000, 1_000
_MESSAGE_CHARACTERS = 300
_LABEL_CHARACTERS = 200
_NAMED = re.compile(r"\banswers\b(?:\s*\.\s*(\w+))?")
"""The answers that an expression names; an empty one where it uses all of them in another way."""
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Mapped:
    """What was taken out. `problems` do not fit; `missing` are the numbers that are not there, with the reason."""

    metrics: list[Metric] = field(default_factory=list)
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


class Extraction:
    """Applies the mappings of one definition to the answers of one reading; not on the event loop: it may take long."""

    def __init__(
        self,
        definition: SourceDefinition,
        answers: Mapping[str, Any],
        params: Mapping[str, Any],
        expressions: CelExpressions,
        now: datetime,
    ) -> None:
        self._definition = definition
        self._answers = answers
        self._params = params
        self._expressions = expressions
        self._now = now
        self._numbers: dict[str, float] = {}
        self._doubles: dict[str, Any] = {}
        self._unanswered = {name for name, answer in answers.items() if answer is None}
        self.mapped = Mapped()

    def reading(self, problems: Sequence[str]) -> Reading:
        """Return the reading, with what went wrong on the way in its message; degraded at best where something did."""
        for metric in self._definition.metrics:
            self._take(metric)
        for table in self._definition.items:
            self.mapped.items[table.name] = self._rows(table)
        status, message = self._status()
        told = [*problems, *self.mapped.problems]
        if told:
            more = len(told) - _PROBLEMS_SHOWN
            told = [*told[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])]
            message = "; ".join([message, *told] if message else told)
            status = max(status, Status.DEGRADED, key=lambda one: one.severity)
        return Reading(self._now, status, message, tuple(self.mapped.metrics), self.mapped.items)

    def _answers_for(self, expression: str) -> Mapping[str, Any]:
        """Return the answers as CEL takes them; only those that are named, for to hand over megabytes takes long."""
        named = set(_NAMED.findall(expression))
        wanted = named if "" not in named else set(self._answers)
        for name in wanted - self._doubles.keys():
            if name in self._answers:
                self._doubles[name] = with_doubles(self._answers[name])
        return {name: self._doubles[name] for name in wanted if name in self._doubles}

    def _take(self, mapping: IntegrationMetric) -> None:
        if mapping.for_each is None:
            value = self._value(mapping, self._answers, {})
            self._add(mapping, value, mapping.labels)
            if value is not None and not mapping.labels:
                self._numbers[mapping.name] = value * mapping.scale
            return
        try:
            entries = rows_of(search(mapping.for_each, self._answers))[:MAX_ITEMS]
        except PathError as error:
            self._problem(mapping.name, mapping.for_each, error)
            return
        for entry in entries:
            values = {"item": with_doubles(entry)} if mapping.expression else {}
            self._add(mapping, self._value(mapping, entry, values), {**mapping.labels, **_labels(mapping, entry)})

    def _add(self, mapping: IntegrationMetric, value: float | None, labels: Mapping[str, str]) -> None:
        scaled = None if value is None else value * mapping.scale
        self.mapped.metrics.append(Metric(mapping.name, scaled, mapping.unit, labels, mapping.kind))

    def _value(self, mapping: IntegrationMetric, document: Any, values: Mapping[str, Any]) -> float | None:
        try:
            found = (
                search(mapping.path, document)
                if mapping.path is not None
                else self._evaluate(mapping.expression or "", values)
            )
            if found is None:
                self.mapped.missing.setdefault(mapping.name, "the answers do not have it")
                return None
            return self._number(mapping, found)
        except PathError as error:
            self.mapped.missing.setdefault(mapping.name, str(error))
            self._problem(mapping.name, mapping.for_each or mapping.path or "", error)
        except ExpressionError as error:  # most often because a number that it needs is missing
            self.mapped.missing.setdefault(mapping.name, str(error))
        return None

    def _number(self, mapping: IntegrationMetric, found: Any) -> float | None:
        if mapping.pattern is not None:
            found = _matched(mapping.pattern, str(found))
            if found is None:
                self.mapped.missing.setdefault(mapping.name, "the text does not match the pattern")
        if mapping.values:
            known = {text.casefold(): value for text, value in mapping.values.items()}
            return known.get(_as_text(found).casefold())
        return parse_number(found, mapping.parse, self._now)

    def _evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        names = {**FUNCTIONS, "metrics": self._numbers, "params": self._params, **values}
        if "answers" in expression:
            names["answers"] = self._answers_for(expression)
        return self._expressions.evaluate(expression, names)

    def _rows(self, table: IntegrationTable) -> list[dict[str, Any]]:
        try:
            rows = rows_of(search(table.path, self._answers))[:MAX_ITEMS]
            return [self._row(table, row) for row in rows]
        except PathError as error:
            self._problem(table.name, table.path, error)
            return []

    def _problem(self, name: str, path: str, error: PathError) -> None:
        """Remember what does not fit, unless it is of a request without answer, of which that is known."""
        if not any(word in self._unanswered for word in _WORD.findall(path)):
            self.mapped.problems.append(f"{name}: {error}")

    def _row(self, table: IntegrationTable, row: Any) -> dict[str, Any]:
        if table.fields or table.expressions:
            made = {name: search(path, row) for name, path in table.fields.items()}
        else:
            made = dict(row) if isinstance(row, dict) else {"value": row}
        if table.expressions:
            values = {"item": with_doubles(row)}
            for name, expression in table.expressions.items():
                try:
                    made[name] = _storable(self._evaluate(expression, values))
                except ExpressionError:
                    made[name] = None
        return made

    def _status(self) -> tuple[Status, str]:
        if self._definition.status is None:
            return Status.UP, ""
        try:
            said = self._evaluate(self._definition.status, {})
        except ExpressionError as error:
            return Status.UNKNOWN, f"The status cannot be told: {error}"
        if isinstance(said, bool):
            status = Status.UP if said else Status.DOWN
        elif said in list(Status):
            status = Status(said)
        else:
            return Status.UNKNOWN, f"The status is “{shorten(str(said), 40)}”, which is none of {', '.join(Status)}"
        return status, "" if status is Status.UP else self._message()

    def _message(self) -> str:
        if self._definition.message is None:
            return ""
        try:
            return shorten(str(self._evaluate(self._definition.message, {})), _MESSAGE_CHARACTERS)
        except ExpressionError:
            return ""


def _labels(mapping: IntegrationMetric, entry: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for label, path in mapping.label_paths.items():
        try:
            value = search(path, entry)
        except PathError:
            value = None
        found[label] = "" if value is None else shorten(str(value), _LABEL_CHARACTERS)
    return found


def with_doubles(value: Any) -> Any:
    """JSON-like data with every whole number as a double: CEL does not calculate with both kinds at once."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, Mapping):
        return {key: with_doubles(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_doubles(entry) for entry in value]
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _storable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):  # zero was divided by; JSON has no such number either
        return None
    return value if isinstance(value, (str, int, float, bool, list, dict)) or value is None else str(value)


def _matched(pattern: str, text: str) -> str | None:
    """Return the group of the first line that matches; what is looked at is limited, for patterns are people's."""
    for line in text.splitlines()[:_LINES]:
        found = find_group(pattern, line[:_LINE_CHARACTERS])
        if found is not None:
            return found
    return None
