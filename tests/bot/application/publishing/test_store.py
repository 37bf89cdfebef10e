"""Rows of messages: written at once where a crash would hurt, later while the database is away."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.bot.application.publishing.store import MessageStore
from app.bot.domain.dashboards.placements import PostState
from app.bot.domain.errors import StorageUnavailableError
from tests.support.in_memory import InMemoryPlacements, placed
from tests.support.local_discord import CHANNEL
from tests.support.waiting import until

PLACEMENT = placed(7, 1, CHANNEL)
(MESSAGE,) = PLACEMENT.messages
POSTED = replace(MESSAGE, state=PostState.POSTED, message_id=42)


@pytest.fixture
def rows() -> InMemoryPlacements:
    return InMemoryPlacements([PLACEMENT])


@pytest.fixture
def store(rows: InMemoryPlacements) -> MessageStore:
    return MessageStore(rows)


async def test_what_is_committed_is_there(rows: InMemoryPlacements, store: MessageStore) -> None:
    assert await store.commit(POSTED)
    assert rows.messages[7] == POSTED


async def test_a_placement_and_a_message_of_one_number_are_two_rows(
    rows: InMemoryPlacements, store: MessageStore
) -> None:
    rows.away = True
    assert not await store.commit(POSTED)
    assert not await store.commit(replace(PLACEMENT, messages=(), page="two"))
    rows.away = False
    await store.write_last()
    assert (rows.placements[7].page, rows.messages[7]) == ("two", POSTED)


async def test_only_the_newest_state_is_written_when_the_database_is_back(
    rows: InMemoryPlacements, store: MessageStore
) -> None:
    rows.away = True
    assert not await store.commit(POSTED)
    store.later(replace(POSTED, content_hash="newest"))
    rows.away = False
    writing = asyncio.create_task(store.run())
    await until(lambda: rows.messages[7].content_hash == "newest", "the row to be written")
    writing.cancel()
    assert rows.saves == 1


async def test_no_row_is_made_before_the_deletion_of_the_one_that_it_follows(
    rows: InMemoryPlacements, store: MessageStore
) -> None:
    rows.away = True
    await store.delete(MESSAGE)
    assert await store.add_message(PLACEMENT, 0) is None
    await store.delete(PLACEMENT)
    with pytest.raises(StorageUnavailableError):
        await store.place(1, CHANNEL, "command")
    rows.away = False
    placement = await store.place(1, CHANNEL, "command")
    assert placement.id != 7
    message = await store.add_message(placement, 0)
    assert message is not None
    assert message.id != 7


async def test_rows_are_read_after_what_an_earlier_run_had_to_write(
    rows: InMemoryPlacements, store: MessageStore
) -> None:
    rows.away = True
    await store.delete(PLACEMENT)
    await store.write_last()
    rows.away = False
    assert await store.load() == ()


async def test_rows_are_not_read_while_others_are_still_to_be_written(
    rows: InMemoryPlacements, store: MessageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_number: int) -> None:
        raise StorageUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "delete", away)
        await store.delete(PLACEMENT)
        with pytest.raises(StorageUnavailableError):
            await store.load()
    assert await store.load() == ()
