from __future__ import annotations

from typing import Any

from app.bot.domain.blocks.block import Text
from app.bot.domain.readings.reading import Status
from tests.support.rendering import component, context, down, metrics, render, store, text


def offers(*rows: dict[str, Any]) -> Any:
    return metrics(discovered=[{"dashboard": "Lab", "status": "running", **row} for row in rows])


def test_each_is_a_line_in_its_group_by_order_and_name() -> None:
    shown = text(
        "discovered",
        {"title": "Containers"},
        docker=offers(
            {"name": "web", "group": "Shop", "icon": "🛒", "url": "https://shop.example.org"},
            {"name": "db", "group": "Shop", "status": "exited", "detail": "exited with code 1"},
            {"name": "proxy", "status": "unhealthy", "detail": "unhealthy"},
            {"name": "first", "group": "Shop", "order": -1},
        ),
        other=offers({"name": "nas"}, {"name": "elsewhere", "dashboard": "Media"}),
    )
    assert shown.splitlines() == [
        "**Containers**",
        "🟢 **nas**",
        "🔴 **proxy** · unhealthy",
        "**Shop**",
        "🟢 **first**",
        "🔴 **db** · exited with code 1",
        "🟢 🛒 [**web**](<https://shop.example.org>)",
    ]


def test_names_of_dashboards_are_compared_without_capitals() -> None:
    assert "web" in text("discovered", {}, docker=offers({"name": "web", "dashboard": " lab "}))
    assert "web" in text("discovered", {"dashboard": "MEDIA"}, docker=offers({"name": "web", "dashboard": "Media"}))


def test_nothing_is_shown_where_there_is_nothing() -> None:
    assert render("discovered", {}, docker=offers()) == ()
    assert render("discovered", {}, docker=offers({"name": "web", "dashboard": "Media"})) == ()
    assert text("discovered", {"empty": "None yet"}, docker=offers()) == "-# None yet"


def test_a_source_that_went_down_is_said_to_be_down() -> None:
    shown = text("discovered", {}, docker=[offers({"name": "web"}), down("Nobody answers")])
    assert shown == "🔴 **docker** · Nobody answers"


def test_a_source_that_offers_nothing_any_more_is_forgotten() -> None:
    assert render("discovered", {}, docker=[offers({"name": "web"}), offers()]) == ()


def test_what_is_wrong_in_a_row_harms_nothing() -> None:
    shown = text(
        "discovered",
        {"limit": 3},
        docker=offers(
            {"name": "**x** @everyone", "icon": "no emoji", "url": "javascript:alert(1)", "order": "nan"},
            {"name": "y", "url": "https://a.example/>)x", "order": "soon"},
            {"detail": "z" * 1_000, "group": 5, "order": 1},
            {"name": "z"},
        ),
    )
    lines = shown.splitlines()
    assert lines[0] == r"🟢 **\*\*x\*\* \@everyone**"
    assert lines[1] == "🟢 **y**"
    assert lines[2] == "**5**"
    assert len(lines[3]) < 150
    assert lines[-1] == r"-# … and 1 more"


def test_statuses_colour_the_frame() -> None:
    seen = context(store(docker=offers({"name": "web", "status": "paused"})))
    (block,) = component("discovered", {}).render(seen)
    assert isinstance(block, Text)
    assert Status.DEGRADED in seen.statuses
    assert seen.sources_read == {"docker"}
