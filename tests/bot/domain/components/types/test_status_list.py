"""The status list component."""

from __future__ import annotations

import pytest

from app.bot.domain.components.component import RenderContext
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from tests.support.rendering import NOW, component, context, down, metrics, store, text

ENTRIES = {"entries": [{"source": "web", "metric": "latency"}, {"source": "nas", "label": "NAS"}, {"source": "new"}]}
READINGS = {
    "web": metrics(Metric("latency", 23.0, "milliseconds")),
    "nas": down("refused *now*\nreally"),
    "new": None,
}
CONTAINERS = metrics(
    containers=[
        {"name": "plex", "state": {"text": "running"}, "image": "plex:1"},
        {"name": "db_1", "state": {"text": "Exited"}, "image": None},
        {"name": "odd", "state": {"text": "hibernating"}},
    ]
)
ITEMS = {"source": "docker", "items": "containers", "status_field": "state.text"}


def test_several_sources_with_their_state() -> None:
    assert text("status_list", {"title": "Services", **ENTRIES}, **READINGS).splitlines() == [
        "**Services** · 1 of 3 up",
        "🟢 **web** · 23 ms",
        r"🔴 **NAS** · refused \*now\* really",
        "⚪ **new** · Waiting for the first reading",
    ]


def test_items_of_one_source_with_usual_words() -> None:
    config = {**ITEMS, "detail_field": "image", "summary": False}
    assert text("status_list", config, docker=CONTAINERS).splitlines() == [
        r"🟢 **plex** · plex\:1",
        r"🔴 **db\_1**",
        "⚪ **odd**",
    ]


def test_other_words_can_be_given_a_meaning() -> None:
    config = {**ITEMS, "states": {"hibernating": "degraded"}, "worst_first": True, "summary": False}
    assert [line.split(" ")[0] for line in text("status_list", config, docker=CONTAINERS).splitlines()] == [
        "🔴",
        "🟡",
        "🟢",
    ]


def test_states_of_items_colour_the_frame() -> None:
    shown: RenderContext = context(store(docker=CONTAINERS))
    component("status_list", ITEMS).render(shown)
    assert Status.DOWN in shown.statuses


def test_compact_is_one_paragraph() -> None:
    config = {**ITEMS, "style": "compact", "summary": False}
    assert text("status_list", config, docker=CONTAINERS) == "🟢 plex \u2002🔴 db\\_1 \u2002⚪ odd"


def test_more_entries_than_the_limit_are_counted() -> None:
    many = metrics(containers=[{"name": f"c{number}", "status": "up"} for number in range(9)])
    lines = text("status_list", {"source": "d", "items": "containers", "limit": 2}, d=many).splitlines()
    assert lines == ["9 of 9 up", "🟢 **c0**", "🟢 **c1**", "-# … and 7 more"]


def test_items_of_a_source_that_is_down_show_the_source() -> None:
    assert text("status_list", ITEMS, docker=down("no socket")).splitlines()[-1] == "🔴 **docker** · no socket"


def test_no_items_say_so() -> None:
    assert text("status_list", ITEMS, docker=Reading(NOW, items={"containers": ()})) == "-# Nothing to list"


@pytest.mark.parametrize(
    ("config", "remedy"),
    [
        ({}, "fill in either entries, or source and items"),
        ({**ENTRIES, **ITEMS}, "fill in either entries, or source and items"),
        ({"source": "docker"}, "source and items belong together"),
    ],
)
def test_what_to_list_must_be_clear(config: dict[str, object], remedy: str) -> None:
    with pytest.raises(InvalidConfigError, match=remedy):
        component("status_list", config)


def test_a_wrong_entry_is_named() -> None:
    with pytest.raises(InvalidConfigError, match=r"entries\.1\.source"):
        component("status_list", {"entries": [{"source": "a"}, {"source": ""}]})


def test_all_sources_are_known_for_refreshing() -> None:
    assert component("status_list", ENTRIES).sources() == {"web", "nas", "new"}
    assert component("status_list", ITEMS).sources() == {"docker"}
