from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.bot.application.queries.overview import BotCondition, dashboards_view, source_view, sources_view, status_view
from app.bot.domain.blocks.block import Container, Text, View
from app.bot.domain.blocks.limits import exceeds
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import PostState
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.domain.readings.thresholds import Level
from tests.support.in_memory import placed

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOT = BotCondition(NOW - timedelta(hours=1), 0.042, dashboards=2, messages=1)


def source(name: str, status: Status, message: str = "", *, enabled: bool = True) -> tuple[DataSource, Reading]:
    return DataSource(hash(name) % 1000, name, "static", enabled=enabled), Reading(NOW, status, message)


def text_of(view: View) -> str:
    (frame,) = view.blocks
    assert isinstance(frame, Container)
    return "\n".join(block.text for block in frame.children if isinstance(block, Text))


def accent_of(view: View) -> int | None:
    (frame,) = view.blocks
    assert isinstance(frame, Container)
    return frame.accent


def test_status_tells_the_worst_the_counts_the_reasons_and_the_bot() -> None:
    view = status_view(
        [source("nas", Status.DOWN, "No answer within 10 s"), source("router", Status.UP), source("web", Status.UP)],
        BOT,
    )
    text = text_of(view)
    assert "1 source down" in text
    assert "🟢 2 up" in text
    assert "🔴 1 down" in text
    assert "**nas** down" in text
    assert "No answer within 10 s" in text
    assert "router" not in text
    assert "2 dashboards in 1 message" in text
    assert "42 ms" in text
    assert accent_of(view) == Level.CRITICAL.accent


def test_a_source_that_is_switched_off_is_no_trouble() -> None:
    view = status_view([source("nas", Status.DOWN, enabled=False), source("web", Status.UP)], BOT)
    assert "All is well" in text_of(view)
    assert accent_of(view) == Level.OK.accent


def test_status_without_sources_says_what_to_do() -> None:
    assert "Add some in the web admin" in text_of(status_view([], BOT))


def test_status_of_a_large_broken_lab_fits_one_message() -> None:
    sources = [source(f"{number}" + "*" * 300, Status.DOWN, "~" * 1000) for number in range(300)]
    view = status_view(sources, BOT)
    assert not exceeds(view)
    assert not exceeds(sources_view(sources))


def test_sources_lists_the_worst_first_and_escapes_what_came_from_outside() -> None:
    text = text_of(sources_view([source("a", Status.UP), source("z", Status.DOWN, "**bold** @everyone <@1>")]))
    assert text.index("**z**") < text.index("**a**")
    assert r"\*\*bold\*\* \@everyone \<\@1\>" in text
    assert f"<t:{int(NOW.timestamp())}:R>" in text


def test_a_source_shows_its_metrics_with_units_and_missing_ones_as_missing() -> None:
    definition, _ = source("nas", Status.UP)
    reading = Reading(
        NOW,
        metrics=(
            Metric("disk.used", 2**30, "bytes", {"mount": "/"}),
            Metric("temperature", None, "celsius"),
        ),
        items={"disks": [{"name": "a"}]},
    )
    text = text_of(source_view(definition, reading))
    assert "**1.0 GiB**" in text
    assert "mount /" in text
    assert "temperature: **no data**" in text
    assert "disks: 1 row" in text


def test_dashboards_say_where_they_are_shown_and_what_went_wrong() -> None:
    pages = tuple(DashboardComponent(number, 1, "text", page=f"Page {number}") for number in range(2))
    shown = Dashboard(1, 5, "Lab_1", "What it is", components=pages)
    placements = (
        placed(1, 1, 70, state=PostState.POSTED, message_id=7),
        placed(2, 1, 71, state=PostState.FAILED, error="The bot lacks Send Messages"),
    )
    text = text_of(dashboards_view([(shown, placements), (Dashboard(2, 5, "Off", enabled=False), ())]))
    assert r"**Lab\_1**" in text
    assert "shown in <#70>" in text
    assert "2 pages" in text
    assert "<#71>: The bot lacks Send Messages" in text
    assert "**Off** (switched off)" in text
    assert "not shown in a channel" in text
