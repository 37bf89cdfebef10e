from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.charts.time_axis import time_axis, zone_of
from app.bot.domain.charts.value_axis import HUGE, value_axis
from app.bot.domain.formatting.regions import InRegion, Region, Temperature
from app.bot.domain.formatting.units import KNOWN_UNITS
from app.shared.locales import locale_forms

GIB = 2.0**30
BERLIN = zone_of("Europe/Berlin")


@pytest.mark.parametrize(
    ("values", "unit", "labels"),
    [
        ([3, 97], "percent", ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        ([0.1, 0.9], "ratio", ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        ([1 * GIB, 9.5 * GIB], "bytes", ["0", "2 GiB", "4 GiB", "6 GiB", "8 GiB", "10 GiB"]),
        ([GIB, 1.1 * GIB], "bytes/s", ["0", "0.25 GiB/s", "0.50 GiB/s", "0.75 GiB/s", "1.00 GiB/s", "1.25 GiB/s"]),
        ([2e6, 9e6], "bits/s", ["0", "2 Mbit/s", "4 Mbit/s", "6 Mbit/s", "8 Mbit/s", "10 Mbit/s"]),
        ([0, 7000], "seconds", ["0 s", "30 min", "1 h", "1 h 30 min", "2 h"]),
        ([100, 46_000], "", ["0", "10k", "20k", "30k", "40k", "50k"]),
        ([0, 0.004], "", ["0.000", "0.001", "0.002", "0.003", "0.004"]),
        ([-20, 15], "celsius", ["-20 °C", "-10 °C", "0 °C", "10 °C", "20 °C"]),
        ([0, 30], "widgets", ["0 widgets", "10 widgets", "20 widgets", "30 widgets"]),
    ],
)
def test_values_are_written_round_and_with_their_unit(values: list[float], unit: str, labels: list[str]) -> None:
    assert list(value_axis(values, unit).labels) == labels


def test_axes_are_written_as_the_region_writes() -> None:
    with InRegion(Region(temperature=Temperature.FAHRENHEIT)):
        axis = value_axis([19, 26], "celsius", from_zero=False)
        assert list(axis.labels) == ["65 °F", "70 °F", "75 °F", "80 °F"]
        assert axis.ticks[0] == pytest.approx(18.333, abs=0.001)
    with InRegion(Region(locale="de-DE", forms=locale_forms("de-DE"))):
        assert value_axis([GIB, 1.1 * GIB], "B").labels[1] == "0,25 GiB"


def test_a_line_need_not_begin_at_zero_and_given_ends_hold() -> None:
    assert value_axis([61, 68], "celsius", from_zero=False).low == 60
    axis = value_axis([61, 68], "percent", minimum=50, maximum=93)
    assert (axis.low, axis.high) == (50, 93)
    assert axis.ticks == (50, 60, 70, 80, 90)


def test_near_thresholds_are_shown_and_far_ones_leave_the_scale_alone() -> None:
    assert value_axis([0, 70], "percent", include=[80]).high >= 80
    assert value_axis([0, 1], "percent", include=[80]).high < 2


@given(
    st.lists(st.floats(-1.7e308, 1.7e308, allow_nan=False), max_size=5),
    st.sampled_from([*KNOWN_UNITS, "odd"]),
    st.none() | st.floats(-1e15, 1e15),
    st.none() | st.floats(-1e15, 1e15),
    st.booleans(),
)
def test_any_values_have_an_axis(
    values: list[float], unit: str, minimum: float | None, maximum: float | None, from_zero: bool
) -> None:
    if minimum is not None and maximum is not None and maximum <= minimum:
        minimum, maximum = None, None
    axis = value_axis(values, unit, minimum=minimum, maximum=maximum, from_zero=from_zero)
    assert math.isfinite(axis.low)
    assert math.isfinite(axis.high)
    assert axis.low < axis.high <= 1e301
    assert len(axis.ticks) == len(axis.labels) <= 21
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    if minimum is None and maximum is None:
        assert all(axis.low <= min(max(value, -HUGE), HUGE) <= axis.high for value in values)


def labels(start: datetime, **span: float) -> list[str]:
    return list(time_axis(start, start + timedelta(**span), BERLIN).labels)


def test_times_are_those_of_the_guild() -> None:
    assert labels(datetime(2026, 5, 1, 10, 3, tzinfo=UTC), hours=1) == [
        "12:10", "12:20", "12:30", "12:40", "12:50", "13:00",
    ]  # fmt: skip
    assert labels(datetime(2026, 5, 1, 3, tzinfo=UTC), hours=24) == [
        "08:00", "12:00", "16:00", "20:00", "Sat 2", "04:00",
    ]  # fmt: skip
    assert labels(datetime(2026, 5, 1, 3, tzinfo=UTC), days=7) == [
        "Sat 2", "Sun 3", "Mon 4", "Tue 5", "Wed 6", "Thu 7", "Fri 8",
    ]  # fmt: skip
    assert labels(datetime(2026, 1, 10, tzinfo=UTC), days=365) == ["Apr", "Jul", "Oct", "2027"]


def test_no_hour_is_lost_or_doubled_when_the_clocks_change() -> None:
    """On 25 October 2026 the hour from 02:00 to 03:00 comes twice in Berlin, on 29 March there is none."""
    back = time_axis(datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC), BERLIN)
    assert list(back.labels) == ["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]
    hours = [(later - earlier) / 3_600_000 for earlier, later in zip(back.ticks, back.ticks[1:], strict=False)]
    assert hours == [1, 2, 1, 1, 1]
    forth = time_axis(datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, tzinfo=UTC), BERLIN)
    assert list(forth.labels) == ["01:00", "03:00", "04:00", "05:00", "06:00", "07:00"]


def test_a_zone_that_nobody_knows_is_utc() -> None:
    for name in ("Mars/Olympus", "", "../../etc/passwd", "x" * 5000):
        assert zone_of(name) is UTC


@given(st.floats(0, 4e9), st.floats(1, 5e7))
def test_any_time_has_an_axis(unix_time: float, seconds: float) -> None:
    start = datetime.fromtimestamp(unix_time, UTC)
    axis = time_axis(start, start + timedelta(seconds=seconds), BERLIN)
    assert len(axis.ticks) <= 14
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert all(axis.start <= tick <= axis.end for tick in axis.ticks)
