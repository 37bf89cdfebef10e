"""Buttons and selects."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from app.bot.interface import replies
from tests.e2e.lab import (
    Lab,
    action_button,
    answer_of,
    components_of,
    heading,
    number_after,
    page_select,
    refresh_button,
    text,
    text_of,
)
from tests.support import factories
from tests.support.local_servers import raw_server
from tests.support.waiting import until

DEFERRED_MESSAGE, DEFERRED_UPDATE = 5, 6
"""Callback types (documentation, interactions, receiving and responding)."""
POLLS = "Polls: {{ metric('bot', 'polls').value | int }}"


def polls(lab: Lab) -> int:
    """Return how often the shown dashboard says that the bot read its sources."""
    number = number_after("Polls:", lab.shown())
    assert number is not None, lab.shown()
    return number


async def test_refresh_reads_the_sources_now_and_answers_in_the_message(lab: Lab) -> None:
    await lab.source(name="bot", type="bot", interval_seconds=3600)
    await lab.dashboard(text(POLLS), refresh_button(), refresh_rate=3600)
    message = await lab.until_number_shown("Polls:")
    await lab.until_remembered()
    before = polls(lab)

    result = await lab.alice.click(message, label="Refresh")

    assert result.acknowledged
    assert polls(lab) > before
    assert len(lab.messages()) == 1
    (placement,) = await lab.until_remembered()
    assert placement["message_id"] == message.id


async def test_refresh_does_not_wait_for_a_source_that_never_answers(lab: Lab) -> None:
    async with raw_server(None) as address:
        await lab.source(name="hole", type="http_check", config={"url": address}, timeout_seconds=3600)
        await lab.dashboard(heading("Lab"), text("{{ message('hole') }}"), refresh_button())
        message = await lab.until_shown("Waiting for the first reading")

        result = await lab.alice.click(message, label="Refresh")

        assert result.acknowledged
        assert not result.deferred


async def test_an_answer_that_takes_long_is_deferred_and_then_given(lab: Lab) -> None:
    async with raw_server(None) as address:
        await factories.action(lab.owner, name="look", type="poll_source", config={"source": "hole"})
        await lab.source(
            name="hole", type="http_check", config={"url": address}, timeout_seconds=3, interval_seconds=3600
        )
        await lab.dashboard(heading("Lab"), text("{{ message('hole') }}"), action_button("look"))
        message = await lab.until_shown("No answer within 3 s")

        result = await lab.ada.click(message, label="Run")

        assert "⏳ Running **look**" in text_of(answer_of(result))
        answer = await lab.until_over(result)
        assert answer.ephemeral
        assert "No answer within 3 s" in text_of(answer)
        assert "## Lab" in lab.shown(), "the message that was clicked stays as it is"


async def test_what_is_deferred_is_answered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.source(name="bot", type="bot", interval_seconds=3600)
    await lab.dashboard(text(POLLS), refresh_button(), name="Bot", refresh_rate=3600)
    other = lab.guild.create_text_channel("other")
    message = await lab.until_number_shown("Polls:")
    await lab.until_remembered()
    await lab.until_synced("dashboard", "status", "sources")
    monkeypatch.setattr(replies, "ANSWER_SECONDS", 0.0)
    before = polls(lab)

    await lab.alice.click(message, label="Refresh")
    assert polls(lab) > before
    result = await lab.ada.slash(lab.channel, "dashboard post", name="Bot", channel=other)
    assert answer_of(result).ephemeral
    assert "is shown in" in text_of(answer_of(result))

    callbacks = [request.json["type"] for request in lab.requests("POST", "/callback") if request.json]
    assert callbacks == [DEFERRED_UPDATE, DEFERRED_MESSAGE]


async def test_a_select_switches_pages_for_all_and_the_page_stays(lab: Lab) -> None:
    await lab.dashboard(
        heading("Lab"),
        text("Cores", page="CPU"),
        text("Bytes", page="Disks"),
        page_select("CPU", "Disks"),
    )
    message = await lab.until_shown("Cores")
    assert "Bytes" not in lab.shown()

    result = await lab.alice.select(message, ["Disks"])

    assert result.acknowledged
    assert "Bytes" in lab.shown()
    assert "Cores" not in lab.shown()

    async def stored() -> bool:
        return await lab.owner.fetchval("SELECT page FROM dashboard_placements") == "Disks"

    await until(stored, "the page to be stored")
    edits = lab.edits
    await lab.owner.execute("UPDATE dashboard_components SET config = $1 WHERE page = 'Disks'", {"text": "Bytes free"})
    await lab.until_shown("Bytes free")
    assert lab.edits == edits + 1, "the switch itself was answered by the interaction, not by a second edit"


async def test_pages_of_a_message_of_ones_own_are_ones_own(lab: Lab) -> None:
    await lab.dashboard(text("Cores", page="CPU"), text("Bytes", page="Disks"), page_select("CPU", "Disks"), name="Lab")
    await lab.until_shown("Cores")
    await lab.until_synced("dashboard", "status", "sources")
    own = answer_of(await lab.alice.slash(lab.channel, "dashboard show", name="Lab"))
    assert own.ephemeral
    assert "Cores" in text_of(own)

    result = await lab.alice.select(own, ["Disks"])

    assert "Bytes" in text_of(answer_of(result))
    assert "Cores" in lab.shown(), "the public message stays on its page"
    assert await lab.owner.fetchval("SELECT page FROM dashboard_placements") in (None, "CPU")


async def test_refresh_of_a_message_of_ones_own_keeps_its_page(lab: Lab) -> None:
    await lab.dashboard(
        text("Cores", page="CPU"),
        text("Bytes", page="Disks"),
        page_select("CPU", "Disks"),
        refresh_button(),
        name="Lab",
    )
    await lab.until_synced("dashboard", "status", "sources")
    await lab.until_shown("Cores")
    own = answer_of(await lab.alice.slash(lab.channel, "dashboard show", name="Lab", page="Disks"))

    result = await lab.alice.click(own, label="Refresh")

    assert "Bytes" in text_of(answer_of(result))


async def test_an_action_is_refused_without_a_grant_and_runs_with_one(lab: Lab) -> None:
    await lab.source(name="nas", config={"metrics": [{"name": "disk", "value": 41, "unit": "percent"}]})
    await factories.action(lab.owner, name="look", title="Look", type="poll_source", config={"source": "nas"})
    await lab.dashboard(heading("Lab"), action_button("look"))
    message = await lab.until_shown("Lab")

    refused = answer_of(await lab.alice.click(message, label="Run"))
    assert refused.ephemeral
    assert "You may not do this" in text_of(refused)
    (run,) = await lab.runs()
    assert (run["state"], run["action"], run["user_id"]) == ("refused", "look", str(lab.alice.id))
    assert (run["guild_id"], run["channel_id"], run["origin"]) == (lab.guild.id, lab.channel.id, "button")

    await factories.grant(lab.owner, subject_type="user", subject_id=lab.alice.id, scope="look")

    async def allowed() -> Any:
        answer = await lab.until_over(await lab.alice.click(message, label="Run"))
        return answer if "disk" in text_of(answer) else None

    answer = await until(allowed, "the grant to take effect")
    assert answer.ephemeral
    assert "41 %" in text_of(answer)
    (*refusals, done) = await lab.runs()
    assert {run["state"] for run in refusals} == {"refused"}
    assert (done["state"], done["user_name"], done["result"]) == ("done", "alice", "“nas” is up")


async def test_a_grant_to_a_role_and_a_denial_that_beats_manage_server(lab: Lab) -> None:
    await lab.dashboard(heading("Shown by the action"), name="Other", channel_id=None)
    await factories.action(lab.owner, name="peek", type="show_dashboard", config={"dashboard": "Other"})
    operators = lab.guild.create_role("Operators")
    bob = lab.guild.add_member(lab.env.create_user("bob"), roles=[operators])
    await factories.grant(lab.owner, subject_type="role", subject_id=operators.id, scope="peek")
    await lab.dashboard(heading("Lab"), action_button("peek"))
    message = await lab.until_shown("Lab")

    for user in (bob, lab.ada):
        answer = await lab.until_over(await user.click(message, label="Run"))
        assert "Shown by the action" in text_of(answer)

    await factories.grant(lab.owner, subject_type="everyone", scope="peek", effect="deny")

    async def denied() -> bool:
        answer = await lab.until_over(await lab.ada.click(message, label="Run"))
        return "You may not do this" in text_of(answer)

    await until(denied, "the denial to take effect")


async def test_an_action_that_fails_says_why_and_is_audited(lab: Lab) -> None:
    await factories.action(lab.owner, name="look", type="poll_source", config={"source": "nobody"})
    await lab.dashboard(heading("Lab"), action_button("look"))
    message = await lab.until_shown("Lab")

    answer = await lab.until_over(await lab.ada.click(message, label="Run"))

    assert "There is no data source “nobody”" in text_of(answer)
    (run,) = await lab.runs()
    assert run["state"] == "failed"
    assert "nobody" in run["result"]
    assert run["duration_seconds"] is not None


async def test_an_action_cools_down(lab: Lab) -> None:
    await lab.source(name="nas", config={})
    config = {"source": "nas", "cooldown_seconds": 3600}
    await factories.action(lab.owner, name="look", title="Look", type="poll_source", config=config)
    await lab.dashboard(heading("Lab"), action_button("look"))
    message = await lab.until_shown("Lab")

    await lab.until_over(await lab.ada.click(message, label="Run"))
    again = await lab.until_over(await lab.ada.click(message, label="Run"))

    assert "It ran just now. Try again in" in text_of(again)
    assert [run["state"] for run in await lab.runs()] == ["done", "refused"]


async def test_a_button_that_was_deleted_since_answers_kindly(lab: Lab) -> None:
    await lab.dashboard(heading("Lab"), refresh_button())
    message = await lab.until_shown("Lab")
    await lab.stop_bot()
    await lab.owner.execute("DELETE FROM dashboard_components WHERE type = 'buttons'")
    lab.env.inject_error("PATCH", f"/channels/{lab.channel.id}/messages/*", times=None)
    await lab.start_bot()
    await until(lab.client.is_ready, "the bot")

    async def answered() -> bool:
        answer = answer_of(await lab.alice.click(message, label="Refresh"))
        return answer.ephemeral and "was removed meanwhile" in text_of(answer)

    await until(answered, "a kind answer")


async def test_every_button_carries_its_own_state(lab: Lab) -> None:
    await lab.dashboard(heading("Lab"), refresh_button(), action_button("look"))
    message = await lab.until_shown("Lab")
    ids = [component["custom_id"] for component in components_of(message) if component.get("custom_id")]
    assert [custom_id.split(":")[0] for custom_id in ids] == ["hl", "hl"]
    assert ids[1].endswith(":action:look")


async def test_a_click_from_another_guild_does_nothing(lab: Lab) -> None:
    """Who manages another guild has no rights in this one, wherever a message of it is shown."""
    elsewhere = lab.env.create_guild("Elsewhere")
    foreign = elsewhere.create_text_channel("foreign")
    managers = elsewhere.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    mallory = elsewhere.add_member(lab.env.create_user("mallory"), roles=[managers])
    await lab.source(name="nas", config={"metrics": [{"name": "disk", "value": 41}]})
    await factories.action(lab.owner, name="look", type="poll_source", config={"source": "nas"})
    await lab.dashboard(
        heading("Lab"), action_button("look"), refresh_button(), page_select("A"), channel_id=foreign.id
    )
    message = await lab.until_shown("Lab", foreign)

    for answer in (
        await mallory.click(message, label="Run"),
        await mallory.click(message, label="Refresh"),
        await mallory.select(message, ["A"]),
    ):
        assert answer_of(answer).ephemeral
        assert "belongs to another server" in text_of(answer_of(answer))
    assert await lab.runs() == []
