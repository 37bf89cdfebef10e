"""What changed between two versions of a record, field by field: for revisions, and for plans of what will change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from itertools import takewhile
from typing import Any, Final

_DEEPEST = 40
"""Levels of nesting that are looked into; what is deeper is compared as a whole."""
_LONGEST = 500
"""Items of a list that are aligned, which takes quadratic time at worst; longer lists are compared place by place."""

_SHOWN_BEFORE = 20
"""Characters shown of what two long texts begin with alike."""

_PLACES = re.compile(r"(\.\d+)+$")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


class Absent(Enum):
    """The type of ABSENT."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
"""Stands for a field that is not there, which is not the same as null."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs. `path` is dotted, such as `config.columns.2.label`; a key with a dot is in quotes.

    The number in a path is the place in the list that holds the item: the old list where the item went, else the new.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        before, after = self.texts()
        return f"{self.path}: {before} → {after}"

    @property
    def name(self) -> str:
        """The name that the value stands under: the last step of the path that is no place in a list."""
        path = _PLACES.sub("", self.path)
        quoted = _QUOTED.findall(path) if path.endswith('"') else []
        return str(json.loads(quoted[-1])) if quoted else path.rpartition(".")[2]

    def texts(self, longest: int = 200) -> tuple[str, str]:
        """Both values on one line each; of two long texts, the part that shows where they part."""
        before, after = self.before, self.after
        if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > longest:
            skipped = max(0, _common_start(before, after) - _SHOWN_BEFORE)
            before, after = (f"{'…' if skipped else ''}{text[skipped:]}" for text in (before, after))
        return value_text(before, longest), value_text(after, longest)


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """All fields that differ, sorted as the new version has them, then those that are gone.

    None stands for a record that is not there: all its fields are then ABSENT on that side, each as a whole.
    """
    if before is None or after is None:
        present = (before if after is None else after) or {}
        return [
            Difference(_step("", name), *((ABSENT, value) if before is None else (value, ABSENT)))
            for name, value in present.items()
        ]
    return list(_of_objects("", before, after, 0))


def value_text(value: Any, longest: int = 200) -> str:
    """Return a value as JSON on one line, cut to `longest` characters; ABSENT is a dash."""
    if value is ABSENT:
        return "–"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: true is not 1, as Python has it."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _of(path: str, before: Any, after: Any, depth: int) -> Iterator[Difference]:
    if depth < _DEEPEST and isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(path, before, after, depth)
    elif depth < _DEEPEST and _is_list(before) and _is_list(after):
        yield from _of_lists(path, before, after, depth)
    elif not same(before, after):
        yield Difference(path, before, after)


def _of_objects(path: str, before: Mapping[str, Any], after: Mapping[str, Any], depth: int) -> Iterator[Difference]:
    for name, value in after.items():
        if name in before:
            yield from _of(_step(path, name), before[name], value, depth + 1)
        else:
            yield Difference(_step(path, name), ABSENT, value)
    for name, value in before.items():
        if name not in after:
            yield Difference(_step(path, name), value, ABSENT)


def _of_lists(path: str, before: Sequence[Any], after: Sequence[Any], depth: int) -> Iterator[Difference]:
    for first, end, start, stop in _changed_parts(before, after):
        both = min(end - first, stop - start)
        for place in range(both):
            yield from _of(f"{path}.{start + place}", before[first + place], after[start + place], depth + 1)
        for place in range(first + both, end):
            yield Difference(f"{path}.{place}", before[place], ABSENT)
        for place in range(start + both, stop):
            yield Difference(f"{path}.{place}", ABSENT, after[place])


def _changed_parts(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[int, int, int, int]]:
    """Where two lists differ: from, to in the old and from, to in the new one."""
    if max(len(before), len(after)) > _LONGEST:
        return [(0, len(before), 0, len(after))]
    signatures = [[_signature(item) for item in items] for items in (before, after)]
    found = SequenceMatcher(None, signatures[0], signatures[1], autojunk=False).get_opcodes()
    return [(first, end, start, stop) for kind, first, end, start, stop in found if kind != "equal"]


def _signature(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _common_start(one: str, other: str) -> int:
    """Characters that two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _step(path: str, name: str) -> str:
    named = json.dumps(name, ensure_ascii=False) if "." in name or not name else name
    return f"{path}.{named}" if path else named


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
