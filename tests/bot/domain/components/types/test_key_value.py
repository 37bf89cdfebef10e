"""The key-value component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, down, metrics, text

PAIRS: list[dict[str, Any]] = [
    {"label": "Uptime", "source": "host", "metric": "uptime"},
    {"label": "Load", "text": "{{ metric('host', 'load') }} `x`"},
    {"source": "host", "metric": "load", "thresholds": {"warning": 0.1}},
]
HOST = metrics(Metric("uptime", 273_600, "seconds"), Metric("load", 0.42))


def test_lines() -> None:
    assert text("key_value", {"title": "Host", "pairs": PAIRS}, host=HOST).splitlines() == [
        "**Host**",
        "**Uptime** 3 d 4 h",
        "**Load** 0.42 `x`",
        "**load** 🟡 0.42",
    ]


def test_aligned_names_have_one_width() -> None:
    assert text("key_value", {"pairs": PAIRS, "style": "aligned"}, host=HOST).splitlines() == [
        "`Uptime` 3 d 4 h",
        "`Load  ` 0.42 `x`",
        "`load  ` 🟡 0.42",
    ]


def test_inline_is_one_paragraph() -> None:
    config = {"pairs": PAIRS[:2], "style": "inline"}
    assert text("key_value", config, host=HOST) == "**Uptime** 3 d 4 h · **Load** 0.42 `x`"


def test_missing_values() -> None:
    assert text("key_value", {"pairs": PAIRS[:2]}, host=down()).splitlines() == [
        "**Uptime** no data",
        "**Load** no data `x`",
    ]


def test_a_template_that_prints_nothing_is_missing() -> None:
    assert text("key_value", {"pairs": [{"label": "A", "text": "{{ '' }}"}]}) == "**A** no data"


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        ({"label": "A"}, r"pairs\.0: fill in either text, or source and metric"),
        ({"label": "A", "text": "x", "source": "a", "metric": "b"}, "fill in either text"),
        ({"label": "A", "source": "host"}, "source and metric belong together"),
        ({"text": "x"}, "label is needed"),
        ({"label": "x" * 81, "text": "x"}, r"pairs\.0\.label"),
    ],
)
def test_wrong_pairs_are_refused_with_the_remedy(pair: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        component("key_value", {"pairs": [pair]})
