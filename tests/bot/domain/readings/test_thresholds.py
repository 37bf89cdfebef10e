"""Levels of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.bot.domain.readings.thresholds import Level, Thresholds, worst


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


def judged(thresholds: Thresholds, *values: float | None) -> Level:
    """The level of the last value after all before it."""
    return thresholds.level_after(values[-1], lambda: values)


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ((79,), Level.OK),
        ((81, 79), Level.WARNING),
        ((81, 75.1), Level.WARNING),
        ((81, 75), Level.WARNING),
        ((81, 74.9), Level.OK),
        ((81, 74, 79), Level.OK),
        ((91, 86), Level.CRITICAL),
        ((91, 84), Level.WARNING),
        ((91, 76), Level.WARNING),
        ((91, 84, 86), Level.WARNING),
        ((91, 74), Level.OK),
        ((91, None, 86), Level.CRITICAL),
        ((91, 86, None), Level.MISSING),
        ((None, None, 86), Level.WARNING),
        ((91, 95), Level.CRITICAL),
    ],
)
def test_a_level_once_reached_stays_for_a_while(values: tuple[float | None, ...], level: Level) -> None:
    assert judged(Thresholds(warning=80, critical=90, hysteresis=5), *values) is level


def test_low_values_that_are_bad_stay_bad_for_a_while() -> None:
    thresholds = Thresholds(warning=30, critical=7, hysteresis=2, below=True)
    assert judged(thresholds, 7, 8.9) is Level.CRITICAL
    assert judged(thresholds, 7, 9.1) is Level.WARNING
    assert judged(thresholds, 7, 33) is Level.OK
    assert judged(thresholds, 33, 31) is Level.OK


def test_one_threshold_alone_stays_too() -> None:
    assert judged(Thresholds(critical=10, hysteresis=1), 10, 9.5) is Level.CRITICAL
    assert judged(Thresholds(critical=10, hysteresis=1), 10, 8.5) is Level.OK


def test_the_past_is_asked_for_only_where_it_matters() -> None:
    def never() -> list[float]:
        raise AssertionError

    for value in (None, 50, 74.9, 90, 1e300):
        Thresholds(warning=80, critical=90, hysteresis=5).level_after(value, never)
    assert Thresholds(warning=80).level_after(79, never) is Level.OK


@given(st.lists(st.floats(0, 100) | st.none(), min_size=1, max_size=20), st.floats(0, 20))
def test_a_level_is_never_better_than_the_value_is(values: list[float | None], hysteresis: float) -> None:
    thresholds = Thresholds(warning=60, critical=80, hysteresis=hysteresis)
    level = judged(thresholds, *values)
    assert level.severity >= thresholds.level(values[-1]).severity
    if hysteresis == 0:
        assert level is thresholds.level(values[-1])
