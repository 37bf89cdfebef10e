"""A dashboard that one message cannot hold, on a simulated Discord."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from tests.e2e.lab import Lab, page_select, text, text_of
from tests.support.waiting import until

SIZE = 3_000
MANAGE_MESSAGES = 1 << 13


def part(name: str, **columns: Any) -> dict[str, Any]:
    """A component that takes a message for itself."""
    return text(f"{name} " + "x" * SIZE, **columns)


def named(lab: Lab) -> list[str]:
    """The first word of each message, in the order of the channel."""
    return [text_of(message).split()[0] for message in lab.messages()]


async def spread(lab: Lab, *names: str) -> list[discord.Message]:
    """A dashboard with one message for each name, and its messages."""
    await lab.dashboard(*(part(name) for name in names), name="Lab")
    await until(lambda: named(lab) == list(names), lambda: str(named(lab)))
    rows = await lab.until_remembered(len(names))
    assert [row["position"] for row in rows] == list(range(len(names)))
    assert [row["message_id"] for row in rows] == [message.id for message in lab.messages()]
    return lab.messages()


async def shown(lab: Lab, *names: str) -> None:
    await until(lambda: named(lab) == list(names), lambda: str(named(lab)))
    await lab.until_remembered(len(names))


async def test_three_messages_follow_their_rows(lab: Lab) -> None:
    first, middle, last = await spread(lab, "One", "Two", "Three")
    assert ["Last change" in text_of(message) for message in lab.messages()] == [False, False, True]

    edits = lab.edits
    await lab.owner.execute("UPDATE dashboard_components SET config = $1 WHERE position = 1", part("Second")["config"])
    await shown(lab, "One", "Second", "Three")
    assert lab.edits == edits + 1, "only the part that changed is edited"
    assert [message.id for message in lab.messages()] == [first.id, middle.id, last.id]

    await lab.owner.execute("DELETE FROM dashboard_components WHERE position > 0")
    await shown(lab, "One")
    assert lab.messages()[0].id == first.id
    assert await lab.owner.fetchval("SELECT count(*) FROM dashboard_messages") == 1


@pytest.mark.parametrize("away", [False, True])
async def test_a_message_deleted_in_the_middle_comes_back_in_its_place(lab: Lab, away: bool) -> None:
    first, middle, last = await spread(lab, "One", "Two", "Three")
    if away:
        await lab.stop_bot()
        lab.env.backend.delete_message(lab.channel.id, middle.id)
        await lab.start_bot()
    else:
        moderator = lab.guild.create_role("Moderators")
        lab.env.backend.get_guild(lab.guild.id).roles[moderator.id].permissions = MANAGE_MESSAGES
        bob = lab.guild.add_member(lab.env.create_user("bob"), roles=[moderator])
        await bob.delete(middle)

    await until(lambda: not {middle.id, last.id} & {message.id for message in lab.messages()}, "new messages")
    await shown(lab, "One", "Two", "Three")
    assert lab.messages()[0].id == first.id


async def test_a_bot_that_was_killed_between_two_posts_goes_on_behind(lab: Lab) -> None:
    """The second message was sent and not remembered, the third never sent."""
    first, middle, last = await spread(lab, "One", "Two", "Three")
    await lab.stop_bot()
    await lab.owner.execute("DELETE FROM dashboard_messages WHERE position = 2")
    lab.env.backend.delete_message(lab.channel.id, last.id)
    await lab.owner.execute(
        "UPDATE dashboard_messages SET state = 'posting', message_id = NULL, content_hash = NULL WHERE position = 1"
    )
    posts = lab.posts

    await lab.start_bot()

    await shown(lab, "One", "Two", "Three")
    assert [message.id for message in lab.messages()[:2]] == [first.id, middle.id]
    assert lab.posts == posts + 1


async def test_it_is_taken_down_as_a_whole(lab: Lab) -> None:
    await spread(lab, "One", "Two", "Three")
    await lab.until_synced("dashboard", "status", "sources")

    await lab.ada.slash(lab.channel, "dashboard remove", name="Lab")

    assert lab.messages() == []
    assert await lab.owner.fetchval("SELECT array_agg(removed) FROM dashboard_placements") == [True]
    assert await lab.owner.fetchval("SELECT count(*) FROM dashboard_messages") == 0


async def test_who_asks_for_it_gets_all_its_messages(lab: Lab) -> None:
    await lab.dashboard(part("One"), part("Two"), part("Three"), name="Lab", channel_id=None)
    await lab.until_synced("dashboard", "status", "sources")

    result = await lab.alice.slash(lab.channel, "dashboard show", name="Lab")

    answers = [result.response, *result.followups]
    assert [text_of(answer).split()[0] for answer in answers if answer] == ["One", "Two", "Three"]
    assert all(answer.ephemeral for answer in answers if answer)


async def test_a_page_is_turned_on_all_messages(lab: Lab) -> None:
    await lab.dashboard(
        page_select("A", "B"),
        part("One", page="A"),
        part("Two", page="A"),
        part("Three", page="B"),
        part("Four", page="B"),
    )
    await shown(lab, "One", "Two")
    edits = lab.edits

    await lab.alice.select(lab.messages()[0], ["B"])

    await shown(lab, "Three", "Four")
    assert lab.edits == edits + 1, "the clicked message was answered, the other one edited"


async def test_a_page_that_discord_did_not_take_is_shown_by_an_edit(lab: Lab) -> None:
    await lab.dashboard(page_select("A", "B"), text("Cores", page="A"), text("Bytes", page="B"), refresh_rate=3600)
    message = await lab.until_shown("Cores")
    await lab.until_remembered()
    edits = lab.edits
    lab.env.inject_error("POST", "/interactions/*/callback")

    await lab.alice.select(message, ["B"])

    await lab.until_shown("Bytes")
    assert lab.edits == edits + 1
