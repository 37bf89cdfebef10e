"""The plan of applying files: what changes, for people to read before it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.definitions.audit import masked
from app.shared.differences import Difference, differences


class Verb(StrEnum):
    """The ways in which a record can change."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    SHIFT = "shift"
    """It is as it was, but stands further up or down because others came, went or moved."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that changes, field by field. Values that could be secrets are hidden."""

    verb: Verb
    section: str
    subject: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that changes.

    `prunable`: records of the database that no file has, and which stay without a request to prune.
    `missing_secrets`: names of secrets that definitions need and the database does not have.
    """

    changes: tuple[Change, ...] = ()
    prunable: tuple[Change, ...] = ()
    unchanged: int = 0
    missing_secrets: tuple[str, ...] = ()

    def count(self, verb: Verb) -> int:
        """Return how many records change in this way."""
        return sum(change.verb is verb for change in self.changes)


def hidden_differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Difference, ...]:
    """Return the fields that differ, with everything hidden that could be a secret."""
    return tuple(
        Difference(found.path, *(_hidden(found.path, value) for value in (found.before, found.after)))
        for found in differences(before, after)
    )


def _hidden(path: str, value: Any) -> Any:
    """Return a value as it may be shown, by every name on the way to it."""
    for name in reversed([step for step in path.split(".") if not step.isdigit()]):
        value = masked(value, name.strip('"'))
    return value
