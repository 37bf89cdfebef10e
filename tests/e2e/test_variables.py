"""Variables and pages: chosen in Discord, for all or each for themselves."""

from __future__ import annotations

from typing import Any

from tests.e2e.lab import Lab, answer_of, components_of, text, text_of
from tests.support.waiting import until

NEVER = 86_400
HOST = {"name": "host", "label": "Machine", "type": "list", "values": ["nas", "pi"]}
SAYS = text("Looking at {{ variables.host }}")
SAYS_TOO = text("which is ${variables.host}")


def select(**config: Any) -> dict[str, Any]:
    return {"type": "variable_select", "config": {"variable": "host", **config}}


def pages(**config: Any) -> dict[str, Any]:
    return {"type": "page_select", "config": {"options": [{"page": "CPU"}, {"page": "Disks"}], **config}}


async def test_a_variable_is_chosen_for_all_and_stays(lab: Lab) -> None:
    await lab.dashboard(SAYS, SAYS_TOO, select(), layout={"variables": [HOST]}, refresh_rate=NEVER)
    message = await lab.until_shown("Looking at nas")
    await lab.until_remembered()

    result = await lab.alice.select(message, values=["pi"])
    assert result.acknowledged
    assert "Looking at pi" in lab.shown()
    assert "which is pi" in lab.shown()
    assert len(lab.messages()) == 1

    async def stored() -> bool:
        return await lab.owner.fetchval("SELECT variables FROM dashboard_placements") == {"host": ["pi"]}

    await until(stored, "the choice to be stored")
    await lab.restart()
    changed = {"text": "Still {{ variables.host }}"}
    await lab.owner.execute("UPDATE dashboard_components SET config = $1 WHERE position = 0", changed)
    await lab.until_shown("Still pi")


async def test_a_choice_of_ones_own_leaves_the_message_of_all(lab: Lab) -> None:
    await lab.dashboard(SAYS, select(scope="personal"), layout={"variables": [HOST]}, refresh_rate=NEVER)
    message = await lab.until_shown("Looking at nas")
    await lab.until_remembered()

    own = answer_of(await lab.alice.select(message, values=["pi"]))
    assert own.ephemeral
    assert "Looking at pi" in text_of(own)
    assert "Looking at nas" in lab.shown()

    assert "Looking at nas" in text_of(answer_of(await lab.alice.select(own, values=["nas"])))
    assert len(lab.messages()) == 1
    assert await lab.owner.fetchval("SELECT variables FROM dashboard_placements") == {}


async def test_tabs_of_ones_own_keep_what_was_chosen(lab: Lab) -> None:
    await lab.dashboard(
        text("Cores of {{ variables.host }}", page="CPU"),
        text("Disks of {{ variables.host }}", page="Disks"),
        pages(style="buttons", scope="personal"),
        select(scope="personal"),
        layout={"variables": [HOST]},
        refresh_rate=NEVER,
    )
    message = await lab.until_shown("Cores of nas")
    await lab.until_remembered()

    own = answer_of(await lab.alice.click(message, label="Disks"))
    assert own.ephemeral
    assert "Disks of nas" in text_of(own)
    styles = {part["label"]: part["style"] for part in components_of(own) if part.get("type") == 2}
    assert styles == {"CPU": 2, "Disks": 1}

    result = await lab.alice.select(own, values=["pi"])
    assert "Disks of pi" in text_of(answer_of(result))
    assert "Cores of nas" in lab.shown(), "the public message stays as it is"


async def test_tabs_switch_the_page_for_all(lab: Lab) -> None:
    await lab.dashboard(
        text("Cores", page="CPU"), text("Bytes", page="Disks"), pages(style="buttons"), refresh_rate=NEVER
    )
    message = await lab.until_shown("Cores")
    await lab.until_remembered()
    await lab.alice.click(message, label="Disks")
    assert "Bytes" in lab.shown()
    assert len(lab.messages()) == 1
