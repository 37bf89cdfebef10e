"""What can be wrong with a change of a record. Every text may be shown to the user as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_NAMED = 20
"""Names that an error lists."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is its path, such as config.metrics.0.source."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class RecordError(Exception):
    """Base of the errors of this package."""


class InvalidRecordError(RecordError):
    """The values do not make a record; names each wrong field."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class DuplicateRecordError(RecordError):
    """There is such a record already."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")


class RecordNotFoundError(RecordError):
    """There is no such record."""


class StaleRecordError(RecordError):
    """Someone else changed the record since it was read."""


class ReadOnlyRecordError(RecordError):
    """Records of this kind belong to the program and cannot be changed here."""


class RunRefusedError(RecordError):
    """A run of an action has to wait; the text says for what."""


class RoleTooLowError(RecordError):
    """The actor's role does not allow this."""


def known_names(wanted: str, names: Iterable[str]) -> str:
    """Return the known names as the end of an error: those like the wanted one, or else the first."""
    names = sorted(names)
    alike = get_close_matches(wanted, names, n=3)
    if alike:
        return f"did you mean {' or '.join(f'“{name}”' for name in alike)}?"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"known: {', '.join(names[:_NAMED]) or 'none'}{more}"
