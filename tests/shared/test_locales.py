"""What countries write, from CLDR."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.shared.locales import UnknownLocaleError, locale_forms

MOMENT = datetime(2026, 11, 3, 15, 4)  # noqa: DTZ001  # a local time


@pytest.mark.parametrize(
    ("tag", "number", "shown"),
    [
        ("en", "-1,234,567.5", "-1,234,567.5"),
        ("de-DE", "-1,234,567.5", "-1.234.567,5"),
        ("fr", "1,234.5", "1\u00a0234,5"),
        ("de-CH", "1,234.5", "1’234.5"),
        ("en-IN", "-12,345,678.5", "-1,23,45,678.5"),
        ("en-IN", "234.5", "234.5"),
        ("sv", "-3", "−3"),
        ("ar", "-1,234.5", "-1,234.5"),
        ("zh-Hant-TW", "1,234.5", "1,234.5"),
    ],
)
def test_numbers(tag: str, number: str, shown: str) -> None:
    assert locale_forms(tag).number(number) == shown


@pytest.mark.parametrize(
    ("tag", "currency", "form"),
    [
        ("en", "EUR", ("€", "", 2)),
        ("en", "CHF", ("CHF ", "", 2)),
        ("de-DE", "EUR", ("", " €", 2)),
        ("ja", "JPY", ("￥", "", 0)),
        ("nl", "EUR", ("€ ", "", 2)),
        ("ar", "KWD", ("", " د.ك.", 3)),
    ],
)
def test_money(tag: str, currency: str, form: tuple[str, str, int]) -> None:
    assert locale_forms(tag).money(currency) == form


def test_dates_and_times() -> None:
    german, american = locale_forms("de-DE"), locale_forms("en-US")
    assert german.date(MOMENT, "date", "medium") == "03.11.2026"
    assert german.date(MOMENT, "date", "full") == "Dienstag, 3. November 2026"
    assert german.date(MOMENT, "time", "medium") == "15:04"
    assert german.date(MOMENT, "datetime", "short") == "03.11.26, 15:04"
    assert american.date(MOMENT, "datetime", "medium") == "Nov 3, 2026, 3:04 PM"
    with pytest.raises(ValueError, match="use one of short, medium"):
        german.date(MOMENT, "date", "tiny")


def test_an_unknown_country_has_the_forms_of_its_language() -> None:
    assert locale_forms("de-XX").number("1.5") == "1,5"


@pytest.mark.parametrize("tag", ["", "xx-YY", "tlh", "de_DE", "../../etc", "\n"])
def test_what_is_no_locale_is_said(tag: str) -> None:
    with pytest.raises(UnknownLocaleError):
        locale_forms(tag)
