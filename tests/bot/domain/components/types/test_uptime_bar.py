from __future__ import annotations

import json
from typing import Any

import pytest

from app.bot.domain.blocks.block import Block, Gallery, Text
from app.bot.domain.charts.chart import ChartRequest, Picture
from app.bot.domain.components.types.uptime_bar import LOADING
from app.bot.domain.readings.history import Aggregate, History, HistoryQuery, SeriesHistory
from tests.support.rendering import NOW, component, context, down, metrics, store


class Past:
    """History in memory."""

    def __init__(self, **values: tuple[float | None, ...]) -> None:
        self.values = values
        self.asked: list[HistoryQuery] = []

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        self.asked.append(query)
        values = self.values.get(query.source)
        return None if values is None else History(NOW, query.step_seconds, (SeriesHistory("up", values=values),))


class Drawing:
    """Charts that are drawn at once."""

    def __init__(self) -> None:
        self.requests: list[ChartRequest] = []

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        self.requests.append(request)
        return Picture(request.digest, b"png")


def shown(past: Past, drawing: Drawing | None = None, **config: Any) -> tuple[Block, ...]:
    surroundings = context(store(web=metrics(), nas=down()))
    surroundings.histories, surroundings.charts = past, drawing or Drawing()
    entries = [{"source": "web", "label": "Web *site*"}, {"source": "nas"}]
    return component("uptime_bar", {"entries": entries, **config}).render(surroundings)


def test_a_bar_of_text() -> None:
    past = Past(web=(1.0,) * 59 + (0.5,), nas=(None, 1.0, 0.0))
    (block,) = shown(past, title="Uptime", style="text")
    assert block == Text(
        "**Uptime**\n"
        f"🟢 **Web \\*site\\*** · 99.17 %\n`{'█' * 29}{'▅'}`\n"
        "🔴 **nas** · 50.00 %\n` █▁`\n"
        "-# The last 90 days"
    )
    assert past.asked[0] == HistoryQuery("web", "up", (), 90 * 86_400, 86_400, Aggregate.UP)


def test_a_picture_with_the_words_for_those_who_do_not_see_it() -> None:
    drawing = Drawing()
    (gallery,) = shown(Past(web=(1.0, None), nas=(0.99996,)), drawing)
    assert isinstance(gallery, Gallery)
    assert gallery.images[0].description == "Web *site*: 100 %; nas: 99.99 %"
    specification = json.loads(drawing.requests[0].specification)
    assert len(specification["layer"][0]["data"]["values"]) == 3
    assert "90 days ago" in drawing.requests[0].specification


@pytest.mark.parametrize("style", ["text", "picture"])
def test_while_history_is_loading(style: str) -> None:
    assert shown(Past(web=(1.0,)), style=style) == (Text(LOADING),)


def test_without_data_it_says_so() -> None:
    (block,) = shown(Past(web=(), nas=(None,)), style="text")
    assert isinstance(block, Text)
    assert block.text.count("no data yet") == 2
