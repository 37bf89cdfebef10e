from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime

import asyncpg
import pytest

from app.bot.domain.dashboards.placements import PostState
from app.bot.infrastructure.repositories import PostgresPlacements
from tests.support import factories

NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def test_a_placement_is_there_before_its_message(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    repository = PostgresPlacements(bot_pool)
    placement = await repository.place(board["id"], 7, "definition")
    assert (placement.dashboard_id, placement.channel_id, placement.messages) == (board["id"], 7, ())
    assert (placement.state, placement.origin) == (PostState.POSTING, "definition")
    message = await repository.add_message(placement.id, 0)
    assert (message.placement_id, message.position) == (placement.id, 0)
    assert (message.state, message.message_id) == (PostState.POSTING, None)
    assert await owner.fetchval("SELECT state FROM dashboard_messages WHERE id = $1", message.id) == "posting"
    assert await repository.all() == (dataclasses.replace(placement, messages=(message,)),)


async def test_each_position_is_a_message_of_its_own(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    repository = PostgresPlacements(bot_pool)
    placement = await repository.place(board["id"], 7, "definition")
    second, first = [await repository.add_message(placement.id, position) for position in (1, 0)]
    assert (first.position, second.position) == (0, 1)
    assert await repository.add_message(placement.id, 1) == second
    assert [placement.messages for placement in await repository.all()] == [(first, second)]
    await repository.delete_message(first.id)
    assert (await repository.place(board["id"], 7, "definition")).messages == (second,)


async def test_whoever_places_at_the_same_time_gets_the_same_placement(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    board = await factories.dashboard(owner)
    repository = PostgresPlacements(bot_pool)
    placements = await asyncio.gather(*(repository.place(board["id"], 7, "command") for _ in range(8)))
    assert len({placement.id for placement in placements}) == 1
    assert (await repository.place(board["id"], 8, "command")).id != placements[0].id


async def test_every_mutable_field_is_stored(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresPlacements(bot_pool)
    await factories.message(owner)
    (placement,) = await repository.all()
    message = dataclasses.replace(
        placement.messages[0],
        state=PostState.POSTED,
        message_id=factories.snowflake(),
        content_hash="abc",
        error="refused",
        posted_at=NOW,
        edited_at=NOW,
    )
    changed = dataclasses.replace(
        placement,
        origin="command",
        removed=True,
        page="two",
        variables={"host": ["pi"]},
        problems=[{"title": "cpu", "detail": "no data"}],
        messages=(message,),
    )
    await repository.save(changed)
    await repository.save_message(message)
    assert await repository.all() == (changed,)
    await repository.delete(changed.id)
    await repository.save(changed)
    await repository.save_message(message)
    assert await repository.all() == ()
    assert not await owner.fetchval("SELECT count(*) FROM dashboard_messages")


async def test_placing_again_what_is_posted_changes_nothing(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await factories.message(owner, message_id=42, content_hash="abc", origin="command")
    repository = PostgresPlacements(bot_pool)
    (before,) = await repository.all()
    assert await repository.place(before.dashboard_id, before.channel_id, "definition") == before
    assert (before.origin, before.state) == ("command", "posted")
    assert (before.messages[0].message_id, before.messages[0].content_hash) == (42, "abc")


async def test_placing_again_what_was_removed_wants_it_again(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    row = await factories.placement(owner, removed=True, origin="definition")
    placement = await PostgresPlacements(bot_pool).place(row["dashboard_id"], row["channel_id"], "command")
    assert (placement.id, placement.removed, placement.origin) == (row["id"], False, "command")
    assert (placement.state, placement.messages) == ("posting", ())


@pytest.mark.parametrize("removed", [True, False])
async def test_placing_again_keeps_a_message_that_is_still_to_be_looked_for(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection, removed: bool
) -> None:
    row = await factories.message(owner, removed=removed, message_id=42, state="failed", error="refused")
    repository = PostgresPlacements(bot_pool)
    (before,) = await repository.all()
    (message,) = (await repository.place(before.dashboard_id, before.channel_id, "definition")).messages
    assert (message.id, message.state, message.message_id) == (row["id"], "failed", 42)


async def test_a_placement_outlives_its_dashboard(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    """The message still stands in the channel: the bot has to find and remove it, however long it was away."""
    row = await factories.message(owner, message_id=42)
    await owner.execute("DELETE FROM dashboards")
    (left,) = await PostgresPlacements(bot_pool).all()
    assert [(message.id, message.message_id) for message in left.messages] == [(row["id"], 42)]


async def test_a_column_more_is_an_attribute(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresPlacements(bot_pool)
    await factories.message(owner)
    (before,) = await repository.all()
    await repository.place(before.dashboard_id, before.channel_id, "command")
    await owner.execute("ALTER TABLE dashboard_placements ADD COLUMN note text DEFAULT 'x'")
    await owner.execute("ALTER TABLE dashboard_messages ADD COLUMN note text DEFAULT 'y'")
    placed = await repository.place(before.dashboard_id, before.channel_id, "command")
    for placement in (*await repository.all(), placed):
        assert placement.attributes["note"] == "x"
        assert placement.messages[0].attributes["note"] == "y"
