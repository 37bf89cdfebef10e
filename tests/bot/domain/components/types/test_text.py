"""The text component."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import TemplateFailedError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import down, metrics, render, text

CPU = metrics(Metric("cpu", 42.0, "percent"), rows=[{"name": "a_b*c"}])


def test_markdown_of_the_author_stays_and_data_is_escaped() -> None:
    shown = text("text", {"text": "**{{ items('host', 'rows')[0].name }}** {{ metric('host', 'cpu') }}"}, host=CPU)
    assert shown == r"**a\_b\*c** 42 %"


def test_a_metric_can_be_calculated_with() -> None:
    assert text("text", {"text": "{{ metric('host', 'cpu').value / 2 }}"}, host=CPU) == "21"


def test_calculating_with_a_missing_value_gives_no_data() -> None:
    template = "{{ metric('host', 'cpu').value * 2 }}{% if metric('host', 'cpu').value > 90 %} hot{% endif %}"
    assert text("text", {"text": template}, host=down()) == "no data"


def test_status_and_message_of_a_source() -> None:
    shown = text("text", {"text": "{{ status('host') }}: {{ message('host') }}"}, host=down("no_route"))
    assert shown == r"down: no\_route"


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("normal", "one\n\ntwo"),
        ("small", "-# one\n-# two"),
        ("quote", "> one\n> two"),
        ("code", "```\none\n\ntwo\n```"),
    ],
)
def test_styles(style: str, shown: str) -> None:
    assert text("text", {"text": "one\n\ntwo", "style": style}) == shown


def test_code_shows_data_as_it_is() -> None:
    config = {"text": "{{ items('host', 'rows')[0].name }}", "style": "code"}
    assert text("text", config, host=CPU) == "```\na_b*c\n```"


def test_blank_text_shows_nothing() -> None:
    assert render("text", {"text": " \n "}) == ()
    assert render("text", {"text": "{{ '' }}", "style": "code"}) == ()


def test_code_that_is_too_long_is_closed_again() -> None:
    shown = text("text", {"text": "{{ 'x' * 4000 }}", "style": "code"})
    assert len(shown) <= 4_000
    assert shown.endswith("…\n```")


def test_a_template_cannot_run_away() -> None:
    with pytest.raises(TemplateFailedError, match="steps"):
        render("text", {"text": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"})
