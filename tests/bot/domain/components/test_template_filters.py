"""What templates can do with values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.bot.domain.readings.reading import Metric
from app.shared.templating import TemplateError
from tests.support.rendering import TEMPLATES

VALUES: dict[str, Any] = {
    "memory": Metric("memory", 3 * 2**30, "bytes"),
    "gone": Metric("gone", None, "bytes"),
    "none": None,
    "at": datetime(2026, 5, 1, 12, tzinfo=UTC),
    "row": {"name": "a_b", "up": True, "share": 1 / 3, "id": 123456789012345678},
}


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ memory }}", "3.0 GiB"),
        ("{{ gone }} {{ none }} {{ gone|bytes }} {{ none|percent }}", "no data no data no data no data"),
        ("{{ memory.value // 1024 }}", "3145728"),
        ("{{ memory|number }} {{ memory|unit('odd') }}", "3,221,225,472 3,221,225,472 odd"),
        (
            "{{ 2048|byte_rate }} {{ 2e6|bits }} {{ 42.42|percent(1) }} {{ 0.5|ratio }}",
            "2.0 KiB/s 2.0 Mbit/s 42.4 % 50.0 %",
        ),
        ("{{ 90|duration }} {{ 23|milliseconds }} {{ '71.4'|celsius }}", "1 min 30 s 23 ms 71 °C"),
        ("{{ 2.4e9|hertz }} {{ 12|days }}", "2.4 GHz 12 d"),
        ("{{ at|timestamp }} {{ at }}", "<t:1777636800:R> <t:1777636800:f>"),
        (
            "{{ 1777636800|timestamp('t') }} {{ '2026-05-01T12:00:00Z'|timestamp('D') }}",
            "<t:1777636800:t> <t:1777636800:D>",
        ),
        ("{{ none|timestamp }}", "no data"),
        ("{{ row.name }} {{ row.name|bold }} {{ row.name|code }}", r"a\_b **a\_b** `a_b`"),
        ("{{ '**x**'|markdown }}", "**x**"),
        ("{{ 12.5|money('EUR') }} {{ 12|money('EUR', 0) }} {{ none|money('EUR') }}", "EUR 12.50 EUR 12 no data"),
        ("{{ 1234|watt }} {{ 1234|watt_hours(2) }}", "1.2 kW 1.23 kWh"),
        (
            "{{ at|date }} {{ at|time }} {{ 1777636800|datetime }} {{ none|date }}",
            r"2026\-05\-01 12\:00 2026\-05\-01 12\:00 no data",
        ),
        ("{{ row.name|link('https://x.org') }}", r"[a\_b](<https://x.org>)"),
        ("{{ row.name|link('javascript:x') }}", r"a\_b"),
        (
            "{{ 95|mark(80, 90) }}{{ 85|mark(80, 90) }}{{ 5|mark(80, 90) }}{{ none|mark(80) }}{{ 'down'|mark }}",
            "🔴🟡🟢⚪🔴",
        ),
        ("{{ row.up }} {{ row.share }} {{ row.id }} {{ 4.0 }} {{ 0.00123 }}", "yes 0.33 123456789012345678 4 0.0012"),
    ],
)
def test_filters(template: str, shown: str) -> None:
    assert TEMPLATES.render(template, VALUES) == shown


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ 'abc'|bytes }}", "“abc” is no number"),
        ("{{ row|percent }}", "is no number"),
        ("{{ at|timestamp('Q') }}", "no style “Q”; use one of t, T"),
        ("{{ 1e300|timestamp }}", "is no time"),
        ("{{ 1e300|date }}", "is no time"),
        ("{{ 5e12|date }}", "date of “5000000000000.0”"),
        ("{{ 5|money('XYZ') }}", "no currency “XYZ”; use a code such as EUR"),
    ],
)
def test_wrong_use_is_named(template: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        TEMPLATES.render(template, VALUES)
