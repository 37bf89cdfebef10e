"""Errors in files of definitions: place, definition, field, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.shared.yaml import Place

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `subject` is the definition (empty: the file), `field` its path, such as config.url."""

    place: Place
    message: str
    field: str = ""
    subject: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.subject, self.field, self.message) if part)


class ConfigurationError(Exception):
    """Files that cannot be applied; nothing was changed. Holds every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(sorted(problems, key=lambda problem: problem.place)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class MeanwhileChangedError(Exception):
    """Someone else changed definitions while these were applied; nothing was changed here."""
