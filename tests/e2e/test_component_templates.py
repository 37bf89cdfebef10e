"""Component templates: a row changes, and every message that uses it."""

from __future__ import annotations

from typing import Any

from tests.e2e.lab import Lab, text
from tests.support import factories
from tests.support.waiting import until

NEVER = 86_400


def definition(template: str) -> dict[str, Any]:
    return {"components": [{"type": "text", "config": {"text": template}}]}


def card(who: str, **columns: Any) -> dict[str, Any]:
    return {"type": "card", "config": {"who": who}, **columns}


async def card_type(lab: Lab, template: str, name: str = "card") -> None:
    schema = {"type": "object", "properties": {"who": {"type": "string", "default": "nobody"}}}
    columns = {"kind": "template", "config_schema": schema, "definition": definition(template)}
    await factories.component_type(lab.owner, name=name, **columns)


async def change(lab: Lab, template: str, name: str = "card") -> None:
    await lab.owner.execute("UPDATE component_types SET definition = $2 WHERE name = $1", name, definition(template))


async def test_editing_a_type_edits_every_message_that_uses_it_and_no_other(lab: Lab) -> None:
    await card_type(lab, "Hello {{ params.who }}")
    outer = {"components": [{"type": "group", "config": {"children": [{"type": "card", "config": {"who": "nested"}}]}}]}
    await factories.component_type(lab.owner, name="outer", kind="template", definition=outer)
    for number, part in enumerate([card("Ada"), card("Bob"), {"type": "outer"}, text("Nothing of the kind")]):
        await lab.dashboard(part, name=f"board {number}", refresh_rate=NEVER)
    for name in ("Hello Ada", "Hello Bob", "Hello nested", "Nothing of the kind"):
        await lab.until_shown(name)
    await lab.until_remembered(4)
    edits = lab.edits

    await change(lab, "Goodbye {{ params.who }}")
    for name in ("Goodbye Ada", "Goodbye Bob", "Goodbye nested"):
        await lab.until_shown(name)
    assert (lab.posts, lab.edits) == (4, edits + 3)


async def test_a_type_that_breaks_and_one_that_goes_leave_the_rest_alone(lab: Lab) -> None:
    await card_type(lab, "Hello {{ params.who }}")
    await lab.dashboard(card("Ada"), text("The rest"), refresh_rate=NEVER)
    await lab.until_shown("Hello Ada")

    await lab.owner.execute("UPDATE component_types SET definition = '{\"components\": 3}' WHERE name = 'card'")
    await lab.until_shown("Component type “card”")
    assert "The rest" in lab.shown()

    await lab.owner.execute("UPDATE component_types SET enabled = false WHERE name = 'card'")
    await lab.until_shown("Unknown component type “card”")

    await lab.owner.execute(
        "UPDATE component_types SET enabled = true, definition = $1 WHERE name = 'card'", definition("Back again")
    )
    await lab.until_shown("Back again")
    await until(lambda: "card" not in lab.shown(), "the problem to go")


async def test_a_reading_that_only_a_template_knows_of_wakes_its_dashboards(lab: Lab) -> None:
    source = await lab.source(
        name="nas", config={"metrics": [{"name": "disk", "value": 41, "unit": "percent"}]}, interval_seconds=1
    )
    await card_type(lab, "Disk {{ metric(params.who, 'disk') }}")
    await lab.dashboard(card("nas"), refresh_rate=2)
    await lab.until_shown("Disk 41 %")
    await lab.owner.execute(
        "UPDATE data_sources SET config = $2 WHERE id = $1",
        source["id"],
        {"metrics": [{"name": "disk", "value": 42, "unit": "percent"}]},
    )
    await lab.until_shown("Disk 42 %")


async def test_buttons_of_a_repetition_work_each_by_itself(lab: Lab) -> None:
    button = {"type": "buttons", "config": {"buttons": [{"label": "Again ${item}"}]}}
    repeat = {"type": "repeat", "config": {"values": ["one", "two"], "children": [button]}}
    await factories.component_type(lab.owner, name="both", kind="template", definition={"components": [repeat]})
    await lab.source(name="bot", type="bot", interval_seconds=3600)
    await lab.dashboard({"type": "both"}, text("Polls: {{ metric('bot', 'polls').value | int }}"), refresh_rate=3600)
    message = await lab.until_number_shown("Polls:")
    await lab.until_remembered()
    for label in ("Again one", "Again two"):
        before = lab.shown()
        result = await lab.ada.click(message, label=label)
        assert result.acknowledged
        assert lab.shown() != before, "the source was read again"
