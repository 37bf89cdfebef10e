"""DashboardBuilder: a definition and the readings become a view, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.bot.application.rendering.builder import DashboardBuilder, first_page, pages_of
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import Block, Container, Problem, Separator, Stamp, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.readings.reading import Metric
from app.bot.domain.readings.thresholds import Level
from app.bot.domain.registry import Registry
from app.shared.expressions import CelExpressions
from tests.support.rendering import NOW, TEMPLATES, assert_fits_discord, down, metrics, store

HEADING = ("heading", {"text": "Lab"})
CPU = ("metric", {"source": "host", "metric": "cpu", "label": "CPU"})


def builder(
    readings: ReadingStore | None = None, types: Registry[type[Component]] = component_types
) -> DashboardBuilder:
    return DashboardBuilder(ComponentFactory(types), readings or store(), TEMPLATES)


def dashboard(*parts: tuple[str, Mapping[str, Any]] | DashboardComponent, **fields: Any) -> Dashboard:
    components = tuple(
        part if isinstance(part, DashboardComponent) else DashboardComponent(number, 1, part[0], number, config=part[1])
        for number, part in enumerate(parts, start=1)
    )
    return Dashboard(1, 1, "Lab", components=components, **fields)


def on_page(component_id: int, page: str | None, text: str, **fields: Any) -> DashboardComponent:
    return DashboardComponent(component_id, 1, "text", component_id, page=page, config={"text": text}, **fields)


def inside(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The components in the frame, without the footer."""
    (frame,) = blocks
    assert isinstance(frame, Container)
    assert frame.children[-2] == Separator(line=False)
    assert isinstance(frame.children[-1], Stamp)
    return frame.children[:-2]


def test_components_stand_in_a_frame_in_their_order() -> None:
    view = builder(store(host=metrics(Metric("cpu", 42.0, "percent")))).build(dashboard(HEADING, CPU), NOW)
    assert inside(view.blocks) == (Text("## Lab"), Text("**CPU** 42 %"))
    assert view.problems == ()


def test_the_layout_is_a_choice() -> None:
    view = builder().build(dashboard(HEADING, layout={"frame": False, "footer": False}), NOW)
    assert view.blocks == (Text("## Lab"),)
    view = builder().build(dashboard(HEADING, layout={"accent": "#0a0B0c"}), NOW)
    assert isinstance(view.blocks[0], Container)
    assert view.blocks[0].accent == 0x0A0B0C


@pytest.mark.parametrize(("reading", "level"), [(metrics(), Level.OK), (None, Level.MISSING), (down(), Level.CRITICAL)])
def test_the_frame_can_show_the_worst_status(reading: Any, level: Level) -> None:
    parts = [("text", {"text": "{{ status('host') }}"}), ("text", {"text": "{{ status('fine') }}"})]
    view = builder(store(host=reading, fine=metrics())).build(dashboard(*parts, layout={"accent": "status"}), NOW)
    assert isinstance(view.blocks[0], Container)
    assert view.blocks[0].accent == level.accent


@pytest.mark.parametrize(
    ("part", "detail"),
    [
        (("headng", {"text": "x"}), "Unknown component type “headng”. Known: action_select"),
        (("heading", {"text": "x", "sise": 1}), "sise\\: no such setting"),
        (("heading", {}), "text\\: Field required"),
        (("text", {"text": "{{ nope }}"}), "“nope” is not known"),
        (("text", {"text": "{% for x in range(9999) %}xx{% endfor %}"}), "prints more than 4,000 characters"),
        (("metric", {"source": "hots", "metric": "cpu"}), "There is no data source “hots”. Known\\: host"),
    ],
)
def test_a_broken_component_shows_what_is_wrong_and_the_rest_lives(part: Any, detail: str) -> None:
    view = builder(store(host=metrics())).build(dashboard(HEADING, part, HEADING), NOW)
    before, problem, after = inside(view.blocks)
    assert before == after == Text("## Lab")
    assert isinstance(problem, Problem)
    assert detail.replace("\\", "") in problem.detail.replace("\\", "")
    assert view.problems == (problem,)


def test_a_component_type_with_a_bug_stops_nothing() -> None:
    types: Registry[type[Component]] = Registry("component type")

    @types.register("buggy")
    class Buggy(Component):
        def render(self, context: RenderContext) -> tuple[Block, ...]:
            raise ZeroDivisionError("division by zero")

    view = builder(types=types).build(dashboard(("buggy", {})), NOW)
    (problem,) = view.problems
    assert problem.title == "buggy"
    assert problem.detail.startswith(r"Unexpected ZeroDivisionError at test\_builder.py")
    assert "by zero" not in problem.detail  # the text of an unexpected error may hold a secret


def test_a_wrong_layout_is_shown_above_the_components() -> None:
    view = builder().build(dashboard(HEADING, layout={"accent": "blue", "frme": True}), NOW)
    problem, heading = inside(view.blocks)
    assert isinstance(problem, Problem)
    assert "accent" in problem.detail
    assert "frme\\: no such setting" in problem.detail
    assert heading == Text("## Lab")


def test_an_empty_dashboard_says_what_to_do() -> None:
    (text,) = inside(builder().build(dashboard(), NOW).blocks)
    assert isinstance(text, Text)
    assert "Add some in the web admin" in text.text


def test_switched_off_components_are_left_out() -> None:
    off = on_page(1, None, "off", enabled=False)
    assert inside(builder().build(dashboard(off, on_page(2, None, "on")), NOW).blocks) == (Text("on"),)


def test_pages() -> None:
    paged = dashboard(
        on_page(1, None, "all"),
        on_page(2, "disks", "d"),
        on_page(3, "network", "n"),
        on_page(4, "disks", "e"),
        on_page(5, "hidden", "h", enabled=False),
    )
    assert pages_of(paged) == ("disks", "network")
    assert first_page(paged) == "disks"
    assert first_page(dashboard(HEADING)) is None
    build = builder().build
    assert inside(build(paged, NOW).blocks) == (Text("all"), Text("d"), Text("e"))
    assert inside(build(paged, NOW, "network").blocks) == (Text("all"), Text("n"))
    assert build(paged, NOW, "gone") == build(paged, NOW, "disks")


def test_the_page_that_is_shown_is_marked_in_the_select() -> None:
    select = ("page_select", {"options": [{"page": "a"}, {"page": "b"}]})
    paged = dashboard(select, on_page(2, "a", "x"), on_page(3, "b", "y"))
    shown = inside(builder().build(paged, NOW, "b").blocks)[0]
    assert [option.selected for option in shown.options] == [False, True]  # type: ignore[union-attr]


def test_too_much_for_one_message_is_left_out_with_a_notice() -> None:
    parts = [("text", {"text": f"part {number}"}) for number in range(60)]
    view = builder().build(dashboard(*parts, layout={"max_messages": 1}), NOW)
    assert_fits_discord(view)
    *shown, notice = inside(view.blocks)
    assert notice == Text(f"-# {60 - len(shown)} more parts do not fit into one message. Spread them over pages.")


def test_too_much_for_one_message_goes_on_in_the_next() -> None:
    parts = [("text", {"text": f"part {number}"}) for number in range(60)]
    view = builder().build(dashboard(*parts, ("nonsense", {}), layout={"accent": "#FF0000"}), NOW)
    assert_fits_discord(view)
    (frame,), (last,) = (message.blocks for message in view.messages)
    assert isinstance(frame, Container)
    assert isinstance(last, Container)
    assert (frame.accent, last.accent) == (0xFF0000, 0xFF0000)
    shown = [block.text for block in (*frame.children, *inside((last,))) if isinstance(block, Text)]
    assert shown == [f"part {number}" for number in range(60)]
    assert not any(isinstance(block, Stamp) for block in frame.children), "the time stands at the end only"
    assert [problem.title for problem in view.problems] == ["nonsense"], "the first message tells the problems of all"
    assert len(builder().build(dashboard(*parts), NOW, max_messages=1).messages) == 1


def test_equal_content_has_one_fingerprint_whatever_the_time() -> None:
    build = builder(store(host=metrics(Metric("cpu", 42.0, "percent")))).build
    later = NOW + timedelta(hours=1)
    assert build(dashboard(CPU), NOW).fingerprint == build(dashboard(CPU), later).fingerprint
    assert build(dashboard(CPU), NOW).fingerprint != build(dashboard(CPU, HEADING), NOW).fingerprint


def test_columns_that_the_model_does_not_know_are_there_in_templates() -> None:
    board = dashboard(("text", {"text": "{{ dashboard.team }}/{{ dashboard.name }}"}), attributes={"team": "b_l"})
    assert inside(builder().build(board, NOW).blocks) == (Text(r"b\_l/Lab"),)


def test_a_changed_config_is_parsed_anew_and_an_equal_one_is_not() -> None:
    build = builder()
    (before,) = dashboard(HEADING).components
    (after,) = dashboard(("heading", {"text": "New"})).components
    assert build.parse(before) is build.parse(before)
    assert build.parse(after) != build.parse(before)
    build.forget(dashboard(HEADING))
    assert build.parse(before) == build.parse(before)


def test_the_sources_of_a_dashboard_also_those_in_templates() -> None:
    board = dashboard(CPU, ("text", {"text": "{{ message('nas') }}"}), ("nonsense", {"source": "x"}))
    assert builder().sources_of(board) == {"host", "nas"}


def test_a_dashboard_whose_components_show_nothing_says_so_and_not_that_it_has_none() -> None:
    hidden = {"visible_when": "false", "children": [{"type": "separator"}]}
    made = DashboardBuilder(ComponentFactory(component_types), store(), TEMPLATES, expressions=CelExpressions())
    assert "Nothing to show right now" in str(made.build(dashboard(("group", hidden)), NOW).blocks)
    assert "no components yet" in str(made.build(dashboard(), NOW).blocks)


def offers(**row: Any) -> Any:
    return metrics(discovered=[{"dashboard": "lab", "name": "web", "status": "running", **row}])


def test_what_adds_itself_stands_at_the_end() -> None:
    readings = store(docker=offers(), other=metrics(), away=offers(dashboard="Elsewhere"))
    built = builder(readings)
    assert built.sources_of(dashboard(HEADING)) == frozenset()
    assert inside(built.build(dashboard(HEADING), NOW).blocks) == (Text("## Lab"), Text("🟢 **web**"))
    assert built.sources_of(dashboard(HEADING)) == {"docker"}  # so it follows that source from now on
    assert (built.offered_by("docker"), built.offered_by("other")) == ({"lab"}, frozenset())
    assert built.offered_by("gone") == frozenset()


def test_what_adds_itself_is_all_that_an_empty_dashboard_needs() -> None:
    assert inside(builder(store(docker=offers())).build(dashboard(), NOW).blocks) == (Text("🟢 **web**"),)


def test_a_component_says_where_what_adds_itself_stands() -> None:
    readings, row = store(docker=offers()), ("discovered", {"title": "Containers"})
    view = builder(readings).build(dashboard(row, HEADING), NOW)
    assert inside(view.blocks) == (Text("**Containers**\n🟢 **web**"), Text("## Lab"))
    nested = ("group", {"children": [{"type": "discovered"}]})
    assert inside(builder(readings).build(dashboard(nested, HEADING), NOW).blocks) == (
        Text("🟢 **web**"),
        Text("## Lab"),
    )
