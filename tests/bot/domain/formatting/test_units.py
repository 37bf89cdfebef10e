"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.formatting.currencies import CURRENCIES
from app.bot.domain.formatting.regions import InRegion, Region, Temperature
from app.bot.domain.formatting.units import KNOWN_UNITS, MISSING, format_value
from app.bot.domain.readings.reading import Metric
from app.shared.locales import locale_forms


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


GERMAN = Region("Europe/Berlin", "de-DE", forms=locale_forms("de-DE"))
AMERICAN = Region("America/New_York", "en-US", Temperature.FAHRENHEIT, locale_forms("en-US"))
REGIONS = [Region(), GERMAN, AMERICAN, *(Region(locale=tag, forms=locale_forms(tag)) for tag in ("hi-IN", "ar", "sv"))]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (4.2, "watt", "4.20 W"),
        (0.5, "watt", "0.50 W"),
        (999.4, "watt", "999 W"),
        (999.6, "watt", "1.0 kW"),
        (12_340, "W", "12.3 kW"),
        (1.2, "kWh", "1.2 kWh"),
        (350, "watt_hours", "350 Wh"),
        (230.4, "V", "230 V"),
        (1.5, "ampere", "1.50 A"),
        (320, "lux", "320 lx"),
        (1013.25, "hPa", "1,013 hPa"),
        (5.25, "meters/second", "5.25 m/s"),
        (88, "km/h", "88 km/h"),
        (5, "minutes", "5 min"),
        (1.5, "hours", "1 h 30 min"),
        (250, "microseconds", "0.2 ms"),
        (12, "%", "12 %"),
        (2048, "B", "2.0 KiB"),
        (212, "fahrenheit", "100 °C"),
        (1.25, "celsius_difference", "1.2 °C"),
        (0, "date", "1970-01-01"),
        (3_600, "time", "01:00"),
        (1e300, "date", "1e+300"),
        (12.5, "EUR", "EUR 12.50"),
        (12.5, "money:EUR", "EUR 12.50"),
        (12.5, "money:stars", "12.5 stars"),
        (3, "two\nlines", "3 two lines"),
    ],
)
def test_more_units(value: float, unit: str, shown: str) -> None:
    assert format_value(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "german", "american"),
    [
        (1234.5, "", 1, "1.234,5", "1,234.5"),
        (-1.5, "", None, "-1,50", "-1.50"),
        (1536, "bytes", None, "1,5 KiB", "1.5 KiB"),
        (12.5, "EUR", None, "12,50 €", "€12.50"),
        (-12.5, "EUR", None, "-12,50 €", "-€12.50"),
        (-0.001, "EUR", None, "0,00 €", "€0.00"),
        (1999, "JPY", None, "1.999 ¥", "¥1,999"),
        (1.239, "money:EUR", 3, "1,239 €", "€1.239"),
        (61.5, "celsius", 1, "61,5 °C", "142.7 °F"),
        (-40, "fahrenheit", None, "-40 °C", "-40 °F"),
        (10, "celsius_difference", None, "10,0 °C", "18.0 °F"),
        (1_793_717_040, "datetime", None, "03.11.2026, 15:44", "Nov 3, 2026, 9:44 AM"),
        (1e18, "", None, "1e+18", "1e+18"),
        (0.0012, "", None, "0,0012", "0.0012"),
        (2_600_000, "seconds", None, "30 d 2 h", "30 d 2 h"),
    ],
)
def test_regions_write_differently(value: float, unit: str, decimals: int | None, german: str, american: str) -> None:
    assert format_value(value, unit, decimals, GERMAN) == german
    assert format_value(value, unit, decimals, AMERICAN) == american


def test_the_region_in_force_is_the_default() -> None:
    with InRegion(GERMAN):
        assert format_value(1.5) == "1,50"
        with InRegion(AMERICAN):
            assert format_value(0, "celsius") == "32 °F"
        assert str(Metric("money", 2, "EUR")) == "2,00 €"
    assert format_value(1.5) == "1.50"


UNITS = st.one_of(st.sampled_from([*KNOWN_UNITS, *sorted(CURRENCIES), "kWh", "money:EUR", "players"]), st.text())


@given(st.floats(), UNITS, st.one_of(st.none(), st.integers(0, 6)), st.sampled_from(REGIONS))
def test_whatever_is_shown_anywhere_is_one_short_line(
    value: float, unit: str, decimals: int | None, region: Region
) -> None:
    shown = format_value(value, unit, decimals, region)
    assert 0 < len(shown) <= 80
    assert len(shown.splitlines()) == 1
