"""A source that is tried out: what one reading showed, for anyone who sets it up or writes its type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.bot.domain.readings.reading import Reading

_ANSWER_CHARACTERS = 20_000
"""Of each answer that is shown: enough to find a path in it."""
_ROWS = 20


@dataclass(frozen=True, slots=True)
class SourceTest:
    """A row of source_tests: what to read."""

    id: int
    type: str
    config: Mapping[str, Any] = field(default_factory=dict)
    integration: Mapping[str, Any] | None = None
    timeout_seconds: float = 10.0
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceTestResult:
    """All that one reading showed. Secrets are hidden in it.

    `error` is why there is no reading. `requests` were sent, each with name, method, address, result, seconds and size.
    `missing` are the metrics that have no value, with the reason.
    """

    reading: Reading | None
    error: str | None = None
    requests: Sequence[Mapping[str, Any]] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-ready data: answers as text, long ones and long tables cut."""
        reading = self.reading.to_json() if self.reading is not None else None
        if reading is not None:
            reading["rows"] = {name: len(rows) for name, rows in reading["items"].items()}
            reading["items"] = {name: rows[:_ROWS] for name, rows in reading["items"].items()}
        return {
            "error": self.error,
            "reading": reading,
            "requests": [dict(request) for request in self.requests],
            "answers": {name: _shown(answer) for name, answer in self.answers.items()},
            "missing": dict(self.missing),
        }


def _shown(answer: Any) -> str:
    text = answer if isinstance(answer, str) else json.dumps(answer, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= _ANSWER_CHARACTERS else f"{text[:_ANSWER_CHARACTERS]}\n… cut here"
