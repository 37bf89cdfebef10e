"""Connecting, waiting for a server, and JSON on every connection."""

from __future__ import annotations

import asyncio
import math
import socket
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.shared.database.core.connection import connect, encode_json, wait_for_database
from app.shared.database.core.errors import DatabaseRefusedError, DatabaseUnavailableError, UnsupportedServerError
from tests.support.database import Database


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_server_that_answers_is_not_waited_for(database: Database) -> None:
    with capture_logs() as lines:
        await wait_for_database(database.owner_url)
    assert lines == []


async def test_every_failed_attempt_has_one_clear_line_without_the_password() -> None:
    url = f"postgresql://anna:marlin@127.0.0.1:{free_port()}/lab"
    with capture_logs() as lines, pytest.raises(DatabaseUnavailableError, match="connection refused"):
        await wait_for_database(url, timeout_seconds=0.06, pause_seconds=0.02)
    assert lines
    for line in lines:
        assert "“lab” at 127.0.0.1" in line["event"]
        assert "Trying again in" in line["event"]
        assert "marlin" not in str(line)


async def test_a_server_that_comes_up_later_is_found(database: Database) -> None:
    port = free_port()
    folder = database.owner_url.partition("host=")[2]

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))

    url = f"postgresql://postgres@127.0.0.1:{port}/{database.name}"
    with capture_logs() as lines:
        waiting = asyncio.create_task(wait_for_database(url, pause_seconds=0.01))
        while not lines:  # noqa: ASYNC110  # a log line sets no event
            await asyncio.sleep(0.01)
        server = await asyncio.start_server(forward, "127.0.0.1", port)
        await waiting
    server.close()


async def test_a_missing_socket_is_a_server_that_does_not_run() -> None:
    with pytest.raises(DatabaseUnavailableError, match="it is not running"):
        await connect("postgresql://postgres:@/homelab?host=/tmp/nowhere")


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shared.database.core.connection.CONNECT_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(DatabaseUnavailableError, match=r"no answer within 0\.05 s"):
            await connect(f"postgresql://anna:marlin@127.0.0.1:{silent.getsockname()[1]}/lab")


async def test_a_database_or_role_that_does_not_exist_is_not_waited_for(database: Database) -> None:
    with pytest.raises(DatabaseRefusedError, match="DATABASE_URL"):
        await wait_for_database(database.owner_url.replace(database.name, "nowhere"))
    with pytest.raises(DatabaseRefusedError, match="nobody"):
        await wait_for_database(database.owner_url.replace("postgres:@", "nobody:marlin@"))


@pytest.mark.parametrize("url", ["postgresql://a:marlin@h:port/d", "postgresql://a:mar/lin@h/d?host", "nonsense"])
async def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises((DatabaseRefusedError, DatabaseUnavailableError)) as caught:
        await connect(url)
    assert "mar" not in str(caught.value).replace("marks", "")


async def test_an_old_server_is_refused(database: Database) -> None:
    with pytest.raises(UnsupportedServerError, match="99 or later is needed"):
        await wait_for_database(database.owner_url, minimum_version=99)


async def test_json_comes_and_goes_as_python_objects(owner: asyncpg.Connection) -> None:
    value = {"text": "ü", "list": [1, 2.5, None, True], "nested": {"a": {}}}
    for kind in ("json", "jsonb"):
        assert await owner.fetchval(f"SELECT $1::{kind}", value) == value
    assert await owner.fetchval("SELECT $1::jsonb[]", [value, None]) == [value, None]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"a": math.nan, "b": [math.inf, 1.0], "c": (-math.inf,)}, {"a": None, "b": [None, 1.0], "c": [None]}),
        ("nul\x00nul", "nul\ufffdnul"),
        (r"a path C:\u0000 as text", r"a path C:\u0000 as text"),
        ("\\\x00", "\\\ufffd"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
    ],
)
async def test_what_jsonb_cannot_hold_is_replaced(owner: asyncpg.Connection, value: Any, stored: Any) -> None:
    assert await owner.fetchval("SELECT $1::jsonb", value) == stored


def test_other_json_errors_are_not_hidden() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises((ValueError, RecursionError)):
        encode_json(endless)
