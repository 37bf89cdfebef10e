"""Levels of values."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.bot.domain.thresholds import Level, Thresholds, worst


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (79.9, Level.OK),
        (80, Level.WARNING),
        (94.9, Level.WARNING),
        (95, Level.CRITICAL),
        (None, Level.MISSING),
    ],
)
def test_high_values_are_bad(value: float | None, level: Level) -> None:
    assert Thresholds(warning=80, critical=95).level(value) is level


@pytest.mark.parametrize(
    ("value", "level"), [(31, Level.OK), (30, Level.WARNING), (7, Level.CRITICAL), (-1, Level.CRITICAL)]
)
def test_low_values_are_bad_where_wanted(value: float, level: Level) -> None:
    assert Thresholds(warning=30, critical=7, below=True).level(value) is level


def test_one_threshold_alone() -> None:
    assert Thresholds(warning=None, critical=10).level(9) is Level.OK
    assert Thresholds(warning=10, critical=None).level(1e9) is Level.WARNING


def test_without_thresholds_all_is_well_and_nothing_is_defined() -> None:
    thresholds = Thresholds()
    assert thresholds.level(1e9) is Level.OK
    assert not thresholds.defined
    assert Thresholds(critical=0).defined


@pytest.mark.parametrize(("below", "place"), [(False, "above"), (True, "below")])
def test_levels_must_be_in_order(below: bool, place: str) -> None:
    with pytest.raises(ValidationError, match=f"critical must lie {place} warning"):
        Thresholds(warning=10, critical=20 if below else 5, below=below)


def test_the_worst_level() -> None:
    assert worst([Level.OK, Level.MISSING]) is Level.MISSING
    assert worst([Level.CRITICAL, Level.WARNING, Level.MISSING]) is Level.CRITICAL
    assert worst([]) is Level.OK


def test_marks_and_colours_differ() -> None:
    assert len({level.mark for level in Level}) == len({level.accent for level in Level}) == len(Level)
