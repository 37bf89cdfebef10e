from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from app.settings import Settings
from app.shared.database.core.urls import DatabaseUrls
from app.web.main import WebStartError, listening, open_signing_key, serve
from tests.support.database import Database


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(
                WebStartError, match=rf"port {port} \(Address already in use\)\. .*HOMELAB_WEB_PORT"
            ) as error,
            listening("127.0.0.1", port),
        ):
            pass
    assert "\n" not in str(error.value)
    with listening("127.0.0.1", port):
        pass


def test_the_key_of_sessions_is_made_once_and_private(tmp_path: Path) -> None:
    key = open_signing_key(tmp_path)
    assert open_signing_key(tmp_path) == key
    assert (tmp_path / "session.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "session.key").write_text("x")
    with pytest.raises(WebStartError, match="Delete the file"):
        open_signing_key(tmp_path)


def test_a_key_that_cannot_be_kept_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "session.key").mkdir()
    with pytest.raises(WebStartError, match="Cannot keep the key for sessions"):
        open_signing_key(tmp_path)


async def test_it_serves_until_it_is_told_to_stop(database: Database, tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(data_dir=tmp_path, web_port=port, demo_port=free_port())
    lines: list[str] = []
    ready = asyncio.Event()

    def announce(line: str) -> None:
        lines.append(line)
        ready.set()

    urls = DatabaseUrls(database.owner_url, database.bot_url)
    running = asyncio.create_task(serve(settings, urls, announce=announce))
    await ready.wait()
    (line,) = lines
    link = line.split()[-1]
    assert link.startswith(f"http://127.0.0.1:{port}/setup?token=")
    async with httpx.AsyncClient() as client:
        assert "Make the first user" in (await client.get(link)).text
        with pytest.raises(WebStartError):
            await serve(settings, urls, announce=announce)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
