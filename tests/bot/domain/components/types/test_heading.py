"""The heading component."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import InvalidConfigError, TemplateFailedError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, metrics, render, text


def test_a_heading_is_one_line_in_its_size() -> None:
    assert text("heading", {"text": "{{ dashboard.name }}\nat home", "size": 1}) == "# Lab at home"
    assert text("heading", {"text": "Lab"}) == "## Lab"


def test_a_subtitle_stands_below_in_small() -> None:
    config = {"text": "Lab", "size": 3, "subtitle": "up {{ metric('host', 'uptime') }}"}
    assert text("heading", config, host=metrics(Metric("uptime", 90_000, "seconds"))) == "### Lab\n-# up 1 d 1 h"


def test_nothing_printed_shows_nothing() -> None:
    assert render("heading", {"text": "{% if false %}x{% endif %}"}) == ()


def test_a_long_heading_is_cut() -> None:
    shown = text("heading", {"text": "{{ 'x' * 3000 }}"})
    assert len(shown) == len("## ") + 250
    assert shown.endswith("…")


def test_a_wrong_size_is_refused_by_name() -> None:
    with pytest.raises(InvalidConfigError, match="size: "):
        component("heading", {"text": "Lab", "size": 4})


def test_a_wrong_template_says_what_is_known() -> None:
    with pytest.raises(TemplateFailedError, match=r"“dashbord” is not known\. Known: dashboard, items"):
        render("heading", {"text": "{{ dashbord.name }}"})
