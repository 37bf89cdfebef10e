"""Components within components."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import Block, Problem, Text
from app.bot.domain.components.component import MAX_NESTING, Component, RenderContext
from app.bot.domain.components.nesting import Body, NestedComponent, render_nested
from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.registry import Registry
from app.shared.expressions import CelExpressions
from app.shared.templating import SandboxedTemplates

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def context(types: Registry[type[Component]] = component_types) -> RenderContext:
    return RenderContext(
        NOW,
        ReadingStore(),
        SandboxedTemplates(FILTERS, finalize),
        {"id": 7, "name": "Lab"},
        components=ComponentFactory(types),
        expressions=CelExpressions(),
    )


def text(template: str, **more: object) -> NestedComponent:
    return NestedComponent(type="text", config={"text": template}, **more)  # type: ignore[arg-type]  # of the test's choice


def test_children_know_what_surrounds_them() -> None:
    item = {"name": "web*1", "port": 80}
    blocks = render_nested(context(), [text("{{ item.name }} ${item.port} {{ dashboard.name }}")], {"item": item})
    assert blocks == (Text(r"web\*1 80 Lab"),)


def test_only_visible_children_are_shown() -> None:
    children = [text("no", visible_when="item.port == 81"), text("yes", visible_when="item.port == 80")]
    assert render_nested(context(), children, {"item": {"port": 80}}) == (Text("yes"),)


@pytest.mark.parametrize(
    "broken",
    [
        text("x", visible_when="item.port"),
        text("x", visible_when="what("),
        text("{{ nothing }}"),
        text("${nothing}"),
        NestedComponent(type="text", config={"txt": "x"}),
        NestedComponent(type="there is none"),
    ],
)
def test_one_that_fails_becomes_a_problem_and_its_siblings_live(broken: NestedComponent) -> None:
    surroundings = context()
    blocks = render_nested(surroundings, [text("before"), broken, text("after")], {"item": {"port": 80}})
    assert (blocks[0], blocks[2]) == (Text("before"), Text("after"))
    assert isinstance(blocks[1], Problem)
    assert surroundings.problems == [blocks[1]]


def test_endless_nesting_ends_as_a_problem() -> None:
    types: Registry[type[Component]] = Registry("component type")

    @types.register("endless")
    class Endless(Component):
        def render(self, context: RenderContext) -> tuple[Block, ...]:
            return render_nested(context, [NestedComponent(type="endless")])

    (block,) = render_nested(context(types), [NestedComponent(type="endless")])
    assert isinstance(block, Problem)
    assert str(MAX_NESTING) in block.detail


def test_values_of_a_level_end_with_it() -> None:
    surroundings = context()
    render_nested(surroundings, [text("x")], {"item": 1})
    assert surroundings.values == {}
    assert isinstance(render_nested(surroundings, [text("{{ item }}")])[0], Problem)


def test_placeholders() -> None:
    values = {"params": {"limit": 5, "source": "nas", "on": True, "list": [1], "gone": None}}
    assert fill_placeholders(
        {
            "a": "${params.limit}",
            "b": ["x ${params.source}/${params.limit}", "${params.list}"],
            "c": {"d": "${params.on}"},
        },
        values,
    ) == {"a": 5, "b": ["x nas/5", [1]], "c": {"d": True}}
    assert fill_placeholders("[${params.gone}] ${params.on} ${secret:x} ${env:Y} $5 {{ z }}", values) == (
        "[] true ${secret:x} ${env:Y} $5 {{ z }}"
    )
    with pytest.raises(InvalidConfigError, match=r"“parms” is not known. Known: params"):
        fill_placeholders("${parms.limit}", values)


def test_sources_of_nested_configs_are_found() -> None:
    class Group(Component):
        children: Body

        def render(self, context: RenderContext) -> tuple[Block, ...]:
            return render_nested(context, self.children)

    group = Group(
        children=[
            NestedComponent(type="metric", config={"source": "nas", "metric": "x"}),
            NestedComponent(type="metric", config={"source": "${params.source}", "metric": "x"}),
            text("{{ metric('host', 'cpu.percent') }}"),
        ]
    )
    assert group.sources() == {"nas", "host"}
