from __future__ import annotations

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.repositories import PostgresPushes
from app.bot.infrastructure.sources import Resources
from tests.support import factories

CONFIG = {"every_seconds": 120, "grace_seconds": 30, "units": {"duration": "seconds"}}


@pytest.fixture
async def source(owner: asyncpg.Connection) -> asyncpg.Record:
    return await factories.data_source(owner, name="backup", type="push")


@pytest.fixture
def look(bot_pool: asyncpg.Pool, resources: Resources) -> Any:
    """Reads the source with the bot's own rights."""

    async def look_once(name: str = "backup") -> Reading:
        lent = replace(resources, pushes=PostgresPushes(bot_pool))
        return await open_reader(DataSource(1, name, "push", config=CONFIG), lent).read()

    return look_once


async def push(owner: asyncpg.Connection, source: asyncpg.Record, **columns: Any) -> None:
    values = {"data_source_id": source["id"], "token_hash": "a" * 64, **columns}
    await owner.execute("DELETE FROM pushes")
    names, places = ", ".join(values), ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await owner.execute(f"INSERT INTO pushes ({names}) VALUES ({places})", *values.values())


async def ago(owner: asyncpg.Connection, seconds: int) -> Any:
    return await owner.fetchval("SELECT now() - $1 * interval '1 second'", seconds)


@pytest.mark.usefixtures("source")
async def test_without_an_address_it_says_what_to_do(look: Any) -> None:
    reading = await look()
    assert reading.status is Status.UNKNOWN
    assert reading.message.startswith("It has no address to call yet. Save it, then make one")


async def test_a_call_in_time(owner: asyncpg.Connection, source: asyncpg.Record, look: Any) -> None:
    called_at = await ago(owner, 100)
    await push(owner, source, called_at=called_at, calls=7, metrics={"duration": 12.5, "files": 3, "odd": "text"})
    reading = await look()
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("calls") == Metric("calls", 7.0, "count", kind=MetricKind.COUNTER)
    assert reading.metric("duration") == Metric("duration", 12.5, "seconds")
    assert reading.metric("files") == Metric("files", 3.0)
    assert reading.metric("odd") is None
    assert 100 <= reading.metric("age").value < 130
    assert (await look("other")).status is Status.UNKNOWN


@pytest.mark.parametrize(("seconds", "status"), [(140, Status.UP), (180, Status.DOWN)])
async def test_late_means_down(
    owner: asyncpg.Connection, source: asyncpg.Record, look: Any, seconds: int, status: Status
) -> None:
    await push(owner, source, called_at=await ago(owner, seconds), message="Fine")
    reading = await look()
    assert reading.status is status
    assert reading.message.startswith("Fine" if status is Status.UP else "No call for 3 min")


async def test_what_it_says_of_itself(owner: asyncpg.Connection, source: asyncpg.Record, look: Any) -> None:
    for said, message, shown in (("down", "", "It called itself down"), ("degraded", "Slow", "Slow")):
        await push(owner, source, called_at=await ago(owner, 1), status=said, message=message)
        reading = await look()
        assert (reading.status, reading.message) == (Status(said), shown)


async def test_the_first_call_is_waited_for(owner: asyncpg.Connection, source: asyncpg.Record, look: Any) -> None:
    await push(owner, source)
    reading = await look()
    assert (reading.status, reading.message) == (Status.UNKNOWN, "Waiting for the first call")
    assert reading.metric("age") == Metric("age", None, "seconds")
    await push(owner, source, created_at=await ago(owner, 7_200))
    reading = await look()
    assert reading.status is Status.DOWN
    assert reading.message.startswith("Never called, for 2 h")


async def test_the_bot_cannot_read_the_tokens_or_call(
    owner: asyncpg.Connection, source: asyncpg.Record, bot_pool: asyncpg.Pool
) -> None:
    await push(owner, source)
    for statement in ("SELECT token_hash FROM pushes", "UPDATE pushes SET called_at = now()", "DELETE FROM pushes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bot_pool.execute(statement)
