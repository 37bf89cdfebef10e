"""Matches components of a file with rows of the dashboard: buttons in Discord carry a row's id, so it has to last."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.shared.differences import same

Values = Mapping[str, Any]
_MAX_POSITION = 2**31 - 1
_LARGEST_ID = 2**63


def match_components(wanted: Sequence[Values], existing: Sequence[Values]) -> list[int | None]:
    """Return for each wanted component the place of its row among `existing`, or None for a new one.

    A name is a component's key: it keeps its row whatever else changes, its type included. Those without a name, or
    with one that is new, take the row of the same type and content (so a component can be renamed), and those without
    a name also a row of the same type without a name. The only ones of a type that are left belong together. Among
    equals the order decides.
    """
    found: list[int | None] = [None] * len(wanted)
    free = dict(enumerate(existing))
    for alike in _RULES:
        for index, values in enumerate(wanted):
            if found[index] is None:
                place = next((place for place, row in free.items() if alike(values, row)), None)
                if place is not None:
                    found[index] = place
                    del free[place]
    for index, place in _only_ones(wanted, found, free):
        found[index] = place
    return found


def keeping_order(places: Sequence[int | None]) -> frozenset[int]:
    """Return which of the matched components stay in their order, as many as can; the others have moved."""
    best: list[tuple[int, ...]] = []  # for each length the run of indexes that ends with the lowest place
    ends: list[int] = []
    for index, place in enumerate(places):
        if place is not None:
            length = bisect_left(ends, place)
            ends[length : length + 1] = [place]
            best[length : length + 1] = [(*best[length - 1], index) if length else (index,)]
    return frozenset(best[-1] if best else ())


def positions(kept: Sequence[tuple[int, int] | None]) -> list[int]:
    """Return positions for components in this order. `kept`: position and id of those that have a row.

    A position that is right already stays, so that one new component does not change all others.
    """
    placed: list[int] = []
    last = (-1, 0)
    for known in kept:
        # The id of a new row, and of one that moves, counts as the largest: the next one must come later.
        last = known if known is not None and known > last else (last[0] + 1, _LARGEST_ID)
        placed.append(last[0])
    return placed if not placed or placed[-1] <= _MAX_POSITION else list(range(len(placed)))


def _only_ones(
    wanted: Sequence[Values], found: Sequence[int | None], free: Mapping[int, Values]
) -> Iterator[tuple[int, int]]:
    """Yield, of each type of which one component and one row are left, these two."""
    new = [index for index, place in enumerate(found) if place is None]
    for index in new:
        name = wanted[index]["type"]
        rows = [place for place, row in free.items() if row["type"] == name]
        if len(rows) == 1 and sum(wanted[other]["type"] == name for other in new) == 1:
            yield index, rows[0]


def _same_name(values: Values, row: Values) -> bool:
    return bool(values["name"]) and values["name"] == row["name"]


def _same_type(values: Values, row: Values) -> bool:
    return bool(values["type"] == row["type"])


def _same_content(values: Values, row: Values) -> bool:
    without = {name: value for name, value in values.items() if name != "name"}
    return _same_type(values, row) and all(same(value, row[name]) for name, value in without.items())


_RULES: tuple[Callable[[Values, Values], bool], ...] = (
    lambda values, row: _same_name(values, row) and _same_content(values, row),
    lambda values, row: _same_name(values, row) and _same_type(values, row),
    _same_name,
    lambda values, row: values["name"] == row["name"] and _same_content(values, row),
    _same_content,
    lambda values, row: not values["name"] and not row["name"] and _same_type(values, row),
)
