"""Pauses, outages, texts, and values that are written later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
import structlog
from structlog.testing import capture_logs

from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.text import is_postgres_safe, postgres_safe_text
from app.shared.kit.write_behind import WriteBehind
from tests.support.waiting import until

log = structlog.get_logger(__name__)


def test_pauses_double_to_the_last_and_begin_again() -> None:
    backoff = Backoff(1.0, 5.0)
    assert [backoff.next() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next() == 1.0


def test_a_first_pause_above_the_last_stays() -> None:
    backoff = Backoff(60.0, 30.0)
    assert [backoff.next(), backoff.next()] == [60.0, 60.0]


def test_an_outage_is_logged_once_at_its_begin_and_once_at_its_end() -> None:
    outage = Outage(log, "down", "up", source="nas")
    with capture_logs() as lines:
        outage.recover()
        outage.fail("first")
        outage.fail("second")
        outage.recover()
        outage.recover()
    assert [(line["event"], line.get("reason"), line["source"]) for line in lines] == [
        ("down", "first", "nas"),
        ("up", None, "nas"),
    ]


@pytest.mark.parametrize(
    ("text", "safe"), [("fine ü", "fine ü"), ("nul\0", "nul\ufffd"), ("half \ud800", "half ?"), ("", "")]
)
def test_texts_as_postgresql_takes_them(text: str, safe: str) -> None:
    assert postgres_safe_text(text) == safe
    assert is_postgres_safe(text) == (text == safe)


class Storage:
    def __init__(self) -> None:
        self.away = False
        self.refused: set[int] = set()
        self.rows: dict[int, str] = {}
        self.writes: list[dict[int, str]] = []

    async def write(self, batch: Mapping[int, str]) -> None:
        self.writes.append(dict(batch))
        if self.away:
            raise ConnectionError("away")
        if self.refused & set(batch):
            raise ValueError("too long")
        self.rows.update(batch)


def behind(storage: Storage, batch: int = 100) -> WriteBehind[int, str]:
    outage = Outage(log, "cannot be written", "is written again")
    return WriteBehind(
        "a row", "key", storage.write, outage=outage, later=(ConnectionError,), backoff=Backoff(1, 2), batch=batch
    )


async def test_the_newest_value_of_each_key_is_written_at_once_with_the_others() -> None:
    storage = Storage()
    rows = behind(storage)
    rows.put(1, "old")
    rows.put(1, "new")
    rows.put(2, "two")
    rows.put(3, "gone")
    rows.forget(3)
    assert await rows.flush()
    assert storage.writes == [{1: "new", 2: "two"}]
    assert not rows.waiting


async def test_what_cannot_be_written_waits_and_is_said_once() -> None:
    storage = Storage()
    rows = behind(storage)
    storage.away = True
    with capture_logs() as lines:
        assert not await rows.write_now(1, "one")
        assert not await rows.write_now(2, "two")
        assert not await rows.flush()
        storage.away = False
        assert await rows.flush()
    assert storage.rows == {1: "one", 2: "two"}
    assert [line["event"] for line in lines] == ["cannot be written", "is written again"]


async def test_what_was_to_be_written_at_once_is_tried_again_by_itself() -> None:
    storage = Storage()
    outage = Outage(log, "cannot be written", "is written again")
    rows = WriteBehind("a row", "key", storage.write, outage=outage, later=(ConnectionError,), backoff=Backoff(0, 0))
    running = asyncio.create_task(rows.run())
    await asyncio.sleep(0)  # it sleeps now, for nothing waits
    storage.away = True
    assert not await rows.write_now(1, "one")
    storage.away = False
    await until(lambda: storage.rows == {1: "one"}, "the row")
    running.cancel()


async def test_what_fails_is_not_called_written_because_a_newer_value_came() -> None:
    storage = Storage()
    rows = behind(storage)

    async def write(batch: Mapping[int, str]) -> None:
        rows.put(1, "newer")
        raise ConnectionError("away")

    rows._store = write
    assert not await rows.write_now(1, "one")
    assert rows.waiting == {1: "newer"}


async def test_a_refused_value_is_dropped_and_keeps_no_other_from_being_written() -> None:
    storage = Storage()
    rows = behind(storage)
    storage.refused = {2}
    with capture_logs() as lines:
        for _ in range(2):
            for key in (1, 2, 3):
                rows.put(key, f"value {key}")
            assert await rows.flush()
    assert storage.rows == {1: "value 1", 3: "value 3"}
    assert not rows.waiting
    assert [(line["event"], line["key"]) for line in lines] == [("a row cannot be stored", 2)]


async def test_a_value_put_while_an_older_one_is_written_goes_on_waiting() -> None:
    storage = Storage()
    rows = behind(storage)

    async def write(batch: Mapping[int, str]) -> None:
        if batch[1] == "old":
            rows.put(1, "new")
        storage.rows.update(batch)

    rows._store = write
    rows.put(1, "old")
    await rows.flush()
    assert rows.waiting == {1: "new"}
    await rows.flush()
    assert storage.rows == {1: "new"}


async def test_batches_have_a_bound() -> None:
    storage = Storage()
    rows = behind(storage, batch=2)
    for key in range(5):
        rows.put(key, "x")
    await rows.flush()
    assert [len(batch) for batch in storage.writes] == [2, 2, 1]
