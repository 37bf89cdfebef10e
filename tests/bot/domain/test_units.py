"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.units import KNOWN_UNITS, MISSING, format_value


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0, "bytes", "0 B"),
        (1023, "bytes", "1,023 B"),
        (1024, "bytes", "1.0 KiB"),
        (1024 * 1023.99, "bytes", "1.0 MiB"),
        (150 * 2**20, "bytes", "150 MiB"),
        (-3 * 2**30, "bytes", "-3.0 GiB"),
        (2048, "bytes/s", "2.0 KiB/s"),
        (12, "bits/s", "12 bit/s"),
        (999_999, "bits/s", "1.0 Mbit/s"),
        (2_400_000_000, "hertz", "2.4 GHz"),
        (0, "percent", "0 %"),
        (5.25, "percent", "5.2 %"),
        (42.4, "percent", "42 %"),
        (0.9995, "ratio", "100.0 %"),
        (0, "seconds", "0 s"),
        (0.0004, "seconds", "0.4 ms"),
        (0.25, "seconds", "250 ms"),
        (0.9999, "seconds", "1 s"),
        (59.6, "seconds", "1 min"),
        (90, "seconds", "1 min 30 s"),
        (3_600, "seconds", "1 h"),
        (273_600, "seconds", "3 d 4 h"),
        (86_430, "seconds", "1 d"),
        (23, "milliseconds", "23 ms"),
        (1500, "milliseconds", "2 s"),
        (71.4, "celsius", "71 °C"),
        (1234567, "count", "1,234,567"),
        (12.2, "days", "12 d"),
        (0.42, "", "0.42"),
        (12.34, "", "12.3"),
        (1234.5, "", "1,234"),
        (0.0042, "", "0.0042"),
        (7, "players", "7 players"),
    ],
)
def test_each_unit_has_its_way(value: float, unit: str, shown: str) -> None:
    assert format_value(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "shown"),
    [
        (42.36, "percent", 1, "42.4 %"),
        (71.46, "celsius", 1, "71.5 °C"),
        (1536, "bytes", 2, "1.50 KiB"),
        (512, "bytes", 2, "512 B"),
        (3, "", 2, "3.00"),
        (0.1234, "seconds", 1, "123.4 ms"),
    ],
)
def test_decimals_can_be_chosen(value: float, unit: str, decimals: int, shown: str) -> None:
    assert format_value(value, unit, decimals) == shown


@pytest.mark.parametrize("unit", [*KNOWN_UNITS, "players"])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_there_is_missing_in_every_unit(unit: str, value: float | None) -> None:
    assert format_value(value, unit) == MISSING


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([*KNOWN_UNITS, "players"]))
def test_any_number_stays_short(value: float, unit: str) -> None:
    shown = format_value(value, unit)
    assert shown.strip() == shown
    assert 0 < len(shown) <= 40


@given(st.floats(-0.004, 0.004), st.sampled_from(["percent", "celsius", "count", "days"]))
def test_what_rounds_to_nothing_has_no_sign(value: float, unit: str) -> None:
    assert not format_value(value, unit).startswith("-")
