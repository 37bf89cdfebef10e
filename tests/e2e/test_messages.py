"""Rows become messages, and messages follow rows."""

from __future__ import annotations

import pytest

from tests.e2e import openapi
from tests.e2e.lab import Lab, heading, text, text_of
from tests.support.waiting import until


async def test_a_new_dashboard_is_posted_once(lab: Lab) -> None:
    await lab.dashboard(heading("Servers"), text("All **well**"))

    message = await lab.until_shown("Servers")
    assert "All **well**" in text_of(message)
    (placement,) = await lab.until_remembered()
    assert placement["message_id"] == message.id
    assert lab.posts == 1


async def test_a_changed_row_becomes_an_edit_of_the_same_message(lab: Lab) -> None:
    row = await lab.dashboard(heading("Servers"))
    message = await lab.until_shown("Servers")

    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1", row["id"], {"text": "Computers"}
    )

    assert (await lab.until_shown("Computers")).id == message.id
    assert len(lab.messages()) == 1


async def test_a_component_added_moved_and_removed_shows(lab: Lab) -> None:
    row = await lab.dashboard(heading("First"))
    await lab.until_shown("First")
    insert = "INSERT INTO dashboard_components (dashboard_id, type, position, config) VALUES ($1, 'text', 5, $2)"

    await lab.owner.execute(insert, row["id"], {"text": "Second"})
    message = await lab.until_shown("Second")
    assert text_of(message).index("First") < text_of(message).index("Second")

    await lab.owner.execute("UPDATE dashboard_components SET position = -1 WHERE type = 'text'")
    await until(lambda: lab.shown().find("Second") < lab.shown().find("First"), "the new order")

    await lab.owner.execute("DELETE FROM dashboard_components WHERE type = 'text'")
    await until(lambda: "Second" not in lab.shown(), "the part to go")


async def test_readings_are_shown_when_they_change_and_nothing_is_sent_when_they_do_not(lab: Lab) -> None:
    source = await lab.source(
        name="nas", config={"metrics": [{"name": "disk", "value": 41, "unit": "percent"}]}, interval_seconds=1
    )
    await lab.dashboard(text("Disk {{ metric('nas', 'disk') }}"))
    await lab.until_shown("Disk 41 %")
    await lab.until_remembered()

    edits = lab.edits
    first = await lab.owner.fetchval("SELECT polled_at FROM source_states")

    async def polled_again() -> bool:
        return await lab.owner.fetchval("SELECT max(polled_at) FROM source_states") != first

    await until(polled_again, "another poll")
    assert lab.edits == edits, "an equal reading is no reason for an edit"

    config = {"metrics": [{"name": "disk", "value": 97, "unit": "percent"}]}
    await lab.owner.execute("UPDATE data_sources SET config = $2 WHERE id = $1", source["id"], config)
    await lab.until_shown("Disk 97 %")


async def test_a_dashboard_in_another_channel_moves_there(lab: Lab) -> None:
    other = lab.guild.create_text_channel("other")
    row = await lab.dashboard(heading("Servers"))
    await lab.until_shown("Servers")

    await lab.owner.execute("UPDATE dashboards SET channel_id = $2 WHERE id = $1", row["id"], other.id)

    await lab.until_shown("Servers", other)
    await until(lambda: not lab.messages(), "the old message to go")


async def test_a_switched_off_or_deleted_dashboard_disappears(lab: Lab) -> None:
    row = await lab.dashboard(heading("Servers"))
    other = await lab.dashboard(heading("Disks"))
    await lab.until_shown("Servers")
    await lab.until_shown("Disks")
    await lab.until_remembered(2)

    await lab.owner.execute("UPDATE dashboards SET enabled = false WHERE id = $1", row["id"])
    await until(lambda: "Servers" not in lab.shown(), "the switched off one to go")

    await lab.owner.execute("DELETE FROM dashboards WHERE id = $1", other["id"])
    await until(lambda: not lab.messages(), "the deleted one to go")


async def test_a_broken_component_says_what_is_wrong_and_the_rest_is_shown(lab: Lab) -> None:
    row = await lab.dashboard(
        heading("Still here"),
        {"type": "text", "config": {"txt": "?"}, "name": "Wrong field"},
        {"type": "hologram", "config": {}, "name": "Unknown type"},
        text("{{ nonsense.value }}", name="Bad template"),
        text("{{ metric('nobody', 'x') }}", name="No such source"),
        text("And the end"),
    )

    message = await lab.until_shown("Still here")
    shown = text_of(message)
    for name in ("Wrong field", "Unknown type", "Bad template", "No such source"):
        assert name in shown
    assert "txt" in shown
    assert "And the end" in shown

    await lab.until_remembered()

    async def told() -> bool:
        return len(await lab.owner.fetchval("SELECT problems FROM dashboard_placements")) == 4

    await until(told, "the admin to show the same problems")

    await lab.owner.execute("DELETE FROM dashboard_components WHERE name <> '' AND dashboard_id = $1", row["id"])
    await until(lambda: "Unknown type" not in lab.shown(), "the mended dashboard")


async def test_nobody_is_mentioned_by_what_a_source_says(lab: Lab) -> None:
    await lab.source(name="evil", config={"status": "down", "message": "@everyone <@&1> [x](http://evil)"})
    await lab.dashboard(text("It says: {{ message('evil') }}"))

    message = await lab.until_shown("everyone")
    assert r"\@everyone" in text_of(message)
    bodies = [request.json for request in lab.env.http_requests if isinstance(request.json, dict)]
    sent = [body for body in bodies if "components" in body]
    assert sent
    assert all(body["allowed_mentions"]["parse"] == [] for body in sent)


@pytest.mark.skipif(not openapi.available(), reason=f"Discord's OpenAPI description is not at {openapi.PATH}")
async def test_what_the_bot_sends_is_what_discord_describes(lab: Lab) -> None:
    await lab.dashboard(heading("Servers"), text("Fine"))
    await lab.until_shown("Servers")
    await lab.until_synced("dashboard", "status", "sources")
    assert openapi.check_bodies(lab.env.http_requests) >= 2
