"""How languages and countries write numbers, money and dates: CLDR's data, by way of Babel."""

from __future__ import annotations

import functools
import unicodedata
from datetime import datetime
from typing import Any

_LENGTHS = ("short", "medium", "long", "full")
_GROUP_OF_PYTHON = 3
_JOINERS = "\u200c\u200d"
_NO_BREAK = "\u00a0"
"""A space within a number must not break the line."""


class UnknownLocaleError(ValueError):
    """There is no such locale."""


@functools.lru_cache(maxsize=64)
def locale_forms(tag: str) -> CldrForms:
    """Return the forms of a locale such as de-DE, or of its language. Raises UnknownLocaleError."""
    from babel import Locale  # its data need not be read before someone has a locale
    from babel import UnknownLocaleError as NotInCldrError

    language = tag.partition("-")[0]
    for candidate in (tag, language):
        try:
            return CldrForms(Locale.parse(candidate, sep="-"))
        except (NotInCldrError, ValueError, TypeError):
            continue
    raise UnknownLocaleError(f"there is no locale “{tag[:40]}”; use a tag such as en, de-DE or pt-BR")


class CldrForms:
    """The forms of one locale, with the digits 0 to 9."""

    def __init__(self, locale: Any) -> None:
        symbols = locale.number_symbols.get("latn", {})
        self._locale = locale
        self._group = _visible(symbols.get("group", ",")).replace(" ", _NO_BREAK)
        self._signs = str.maketrans(
            {
                ".": _visible(symbols.get("decimal", ".")),
                ",": self._group,
                "-": _visible(symbols.get("minusSign", "-")),
            }
        )
        self._first_group, self._other_groups = locale.decimal_formats[None].grouping

    def number(self, text: str) -> str:
        """Return a number as Python writes it (-1,234.5), as the locale writes it."""
        if self._other_groups == _GROUP_OF_PYTHON or "," not in text:
            return text.translate(self._signs)
        whole, point, fraction = text.partition(".")
        sign, digits = whole[: -len(whole.lstrip("-"))], whole.lstrip("-").replace(",", "")
        return sign.translate(self._signs) + self._grouped(digits) + (point + fraction).translate(self._signs)

    def _grouped(self, digits: str) -> str:
        """Digits with separators where those are not every three digits: 12,34,567 in India."""
        head, groups = digits[: -self._first_group], [digits[-self._first_group :]]
        while head:
            groups.insert(0, head[-self._other_groups :])
            head = head[: -self._other_groups]
        return self._group.join(groups)

    def money(self, currency: str) -> tuple[str, str, int]:
        """Return what stands before and behind an amount of a currency, and its digits behind the point."""
        return _money(self._locale, currency)

    def date(self, moment: datetime, part: str, length: str) -> str:
        """Return a local time in words: its date, its time to the minute, or both."""
        from babel.dates import format_date, format_time, get_datetime_format

        if length not in _LENGTHS:
            raise ValueError(f"there is no length “{length[:20]}”; use one of {', '.join(_LENGTHS)}")
        if part == "time":
            return _visible(format_time(moment.time(), "short", locale=self._locale))
        day = format_date(moment.date(), length, locale=self._locale)
        if part == "date":
            return _visible(day)
        both = str(get_datetime_format("medium", locale=self._locale)).replace("'", "")
        return _visible(both.format(format_time(moment.time(), "short", locale=self._locale), day))


@functools.lru_cache(maxsize=256)
def _money(locale: Any, currency: str) -> tuple[str, str, int]:
    from babel.numbers import get_currency_precision, get_currency_symbol

    pattern = locale.currency_formats["standard"]
    symbol = _visible(get_currency_symbol(currency, locale=locale))
    before, after = _visible(pattern.prefix[0]), _visible(pattern.suffix[0])
    # Between letters and digits stands a space, also where there is none between a sign such as € and digits.
    if before.endswith("¤") and symbol[-1:].isalpha():
        before += " "
    if after.startswith("¤") and symbol[:1].isalpha():
        after = f" {after}"
    return before.replace("¤", symbol), after.replace("¤", symbol), int(get_currency_precision(currency))


def _visible(text: str) -> str:
    """Text without marks of direction, and with usual spaces."""
    kept = (letter for letter in text if letter in _JOINERS or unicodedata.category(letter) != "Cf")
    return "".join(" " if letter.isspace() else letter for letter in kept)
