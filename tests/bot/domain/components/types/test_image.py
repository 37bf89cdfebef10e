"""The image component."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks.block import Gallery, Image
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import metrics, render


def test_an_address_with_values_in_it() -> None:
    config = {"url": "https://x.org/{{ dashboard.name }}-a_b.png?t={{ metric('h', 'load').value }}"}
    assert render("image", config, h=metrics(Metric("load", -0.5))) == (
        Gallery((Image("https://x.org/Lab-a_b.png?t=-0.5"),)),
    )


def test_a_description_is_plain_text() -> None:
    (block,) = render("image", {"url": "https://x.org/a.png", "description": "Load of\n{{ 'a_b' }}"})
    assert block == Gallery((Image("https://x.org/a.png", "Load of a_b"),))


@pytest.mark.parametrize(
    "url",
    [
        "http://x.org/a.png",
        "x.org/a.png",
        "https://",
        "javascript:alert(1)",
        "https://x.org/a b.png",
        "https://x.org:99999/",
        "https://[x/",
        "https://x.org/{{ 'a' * 2100 }}",
        "{{ '' }}",
    ],
)
def test_what_is_no_https_address_is_refused_by_field(url: str) -> None:
    with pytest.raises(InvalidConfigError, match=r"^url: .*The template gave “"):
        render("image", {"url": url})
