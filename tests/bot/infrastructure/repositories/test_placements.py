from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime

import asyncpg

from app.bot.domain.dashboards.placements import PlacementState
from app.bot.infrastructure.repositories import PostgresPlacements
from tests.support import factories

NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def test_a_placement_is_there_before_its_message(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    repository = PostgresPlacements(bot_pool)
    placement = await repository.place(board["id"], 7, "definition")
    assert (placement.dashboard_id, placement.channel_id, placement.position) == (board["id"], 7, 0)
    assert (placement.state, placement.origin, placement.message_id) == (PlacementState.POSTING, "definition", None)
    assert await owner.fetchval("SELECT state FROM dashboard_messages WHERE id = $1", placement.id) == "posting"
    assert await repository.all() == (placement,)


async def test_each_position_is_a_placement_of_its_own(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    repository = PostgresPlacements(bot_pool)
    first, second = [await repository.place(board["id"], 7, "definition", position) for position in (0, 1)]
    assert (first.position, second.position) == (0, 1)
    assert await repository.place(board["id"], 7, "definition", 1) == second
    assert await repository.all() == (first, second)


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
    row = await factories.placement(owner)
    (placement,) = await repository.all()
    changed = dataclasses.replace(
        placement,
        origin="command",
        state=PlacementState.POSTED,
        message_id=factories.snowflake(),
        content_hash="abc",
        page="two",
        problems=[{"title": "cpu", "detail": "no data"}],
        error="refused",
        posted_at=NOW,
        edited_at=NOW,
    )
    await repository.save(changed)
    assert await repository.all() == (changed,)
    await repository.delete(row["id"])
    await repository.save(changed)
    assert await repository.all() == ()


async def test_placing_again_what_is_posted_changes_nothing_but_the_error(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    row = await factories.placement(owner, message_id=42, content_hash="abc", error="refused", origin="command")
    placement = await PostgresPlacements(bot_pool).place(row["dashboard_id"], row["channel_id"], "definition")
    assert (placement.id, placement.state, placement.message_id) == (row["id"], "posted", 42)
    assert (placement.content_hash, placement.origin, placement.error) == ("abc", "command", None)


async def test_placing_again_what_was_removed_wants_a_new_message(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    row = await factories.placement(owner, message_id=42, content_hash="abc", state="removed", origin="definition")
    placement = await PostgresPlacements(bot_pool).place(row["dashboard_id"], row["channel_id"], "command")
    assert (placement.id, placement.state, placement.origin) == (row["id"], "posting", "command")
    assert (placement.message_id, placement.content_hash) == (None, None)


async def test_placing_again_what_failed_keeps_the_message_to_look_for(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    row = await factories.placement(owner, message_id=42, state="failed", error="refused")
    placement = await PostgresPlacements(bot_pool).place(row["dashboard_id"], row["channel_id"], "definition")
    assert (placement.state, placement.message_id, placement.error) == ("posting", 42, None)


async def test_a_placement_outlives_its_dashboard(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    """The message still stands in the channel: the bot has to find and remove it, however long it was away."""
    row = await factories.placement(owner, message_id=42)
    await owner.execute("DELETE FROM dashboards")
    (left,) = await PostgresPlacements(bot_pool).all()
    assert (left.id, left.message_id) == (row["id"], 42)


async def test_a_column_more_is_an_attribute(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresPlacements(bot_pool)
    row = await factories.placement(owner)
    await repository.place(row["dashboard_id"], row["channel_id"], "command")
    await owner.execute("ALTER TABLE dashboard_messages ADD COLUMN note text DEFAULT 'x'")
    assert (await repository.all())[0].attributes["note"] == "x"
    assert (await repository.place(row["dashboard_id"], row["channel_id"], "command")).attributes["note"] == "x"
