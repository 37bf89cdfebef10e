"""The demo as its page sees it: HTTP requests of the page, the real bot behind it, one database over several starts."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from app import demo
from app.cli.processes import PortTakenError
from app.cli.provision import seed_catalog
from app.demo import run_demo
from app.settings import load_settings
from app.shared.database.core.urls import DatabaseUrls
from tests.support.database import Database
from tests.support.waiting import until


@dataclass
class Page:
    """What a browser's tab does, without the browser."""

    session: aiohttp.ClientSession
    capability: str
    context: str = ""
    clicks: int = 0

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Simcord-Capability": self.capability, "X-Simcord-Context": self.context}
        async with self.session.request(method, path, json=body, headers=headers) as answer:
            assert answer.status == 200, f"{method} {path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def open(self) -> None:
        self.context = (await self.ask("POST", "/api/pages", {}))["context"]["id"]

    async def state(self) -> Any:
        return await self.ask("GET", "/api/state")

    async def shows(self, *patterns: str) -> Any:
        """The state as soon as all the patterns are found on the page."""

        async def found() -> Any:
            state = await self.state()
            return state if all(re.search(pattern, str(state["messages"])) for pattern in patterns) else None

        return await until(found, f"the page to show {patterns}")

    async def click(self, state: Any, label: str) -> Any:
        """Click a button as it stood in `state`, however long ago that was."""
        message, key = control(state, label)
        self.clicks += 1
        body = {
            "protocol_version": 3,
            "kind": "click",
            "request_id": str(uuid4()),
            "sequence": self.clicks,
            "generation": state["context"]["generation"],
            "bot_generation": state["botGeneration"],
            "published_revision": state["publishedRevision"],
            "target_id": message,
            "control_key": key,
        }
        return await self.ask("POST", "/api/action", body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def control(state: Any, label: str) -> tuple[str, str]:
    """The id of the message with the first button of that label, and the button's key."""

    def find(part: Any) -> str | None:
        if isinstance(part, dict):
            if part.get("label") == label and "control_key" in part:
                return str(part["control_key"])
            part = list(part.values())
        if isinstance(part, list):
            return next((key for inner in part if (key := find(inner))), None)
        return None

    for identity, message in state["messages"].items():
        if key := find(message):
            return identity, key
    raise AssertionError(f"no button “{label}” in {state['messages']}")


@asynccontextmanager
async def running(database: Database, folder: Path) -> AsyncIterator[Page]:
    """The demo on the test's database, and a page that looks at it."""
    await seed_catalog(database.owner_url)
    urls = DatabaseUrls(database.owner_url, database.bot_url)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = load_settings(data_dir=folder, demo_port=free_port())
    task = asyncio.create_task(run_demo(settings, urls, address.set_result))
    try:
        await asyncio.wait({task, address}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        url = urlsplit(await address)
        async with aiohttp.ClientSession(f"http://{url.netloc}") as session:
            page = Page(session, url.fragment)
            await page.open()
            yield page
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_click_counts_although_the_page_has_been_published_since(database: Database, tmp_path: Path) -> None:
    async with running(database, tmp_path) as page:
        seen = await page.shows("This machine", "The bot itself")
        await until_newer(page, seen)
        answer = await page.click(seen, "Refresh")
        assert (answer["rejected"], answer["settlement"]) == (False, "settled"), answer
        await page.shows(r"Clicks\s*`\s*1")


async def test_a_click_waits_for_a_page_that_is_being_published(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "REFRESH_SECONDS", 0.001)
    monkeypatch.setattr(demo, "IDLE_REFRESH_SECONDS", 0.0)
    async with running(database, tmp_path) as page:
        await page.shows("This machine", "The bot itself")
        for _ in range(20):  # the page is being published nearly all the time
            answer = await page.click(await page.state(), "Refresh")
            assert (answer["rejected"], answer["settlement"]) == (False, "settled"), answer


async def test_another_start_has_its_commands_and_posts_its_dashboards_once(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    seen: list[tuple[set[str], int]] = []
    for _ in range(2):
        async with running(database, tmp_path) as page:
            state = await page.shows("This machine", "The bot itself")

            async def commands(page: Page = page) -> set[str]:
                catalog = await page.ask("GET", "/api/commands")
                return {name for name in ("dashboard", "status", "sources") if f"'{name}'" in str(catalog["entries"])}

            async def complete() -> bool:
                return len(await commands()) == 3

            await until(complete, "the slash commands")
            seen.append((await commands(), len(state["messages"])))
    assert seen == [({"dashboard", "status", "sources"}, 2)] * 2
    assert await owner.fetchval("SELECT count(*) FROM dashboard_messages WHERE state = 'posted'") == 2


async def test_what_is_recorded_for_tests_stays_short(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "KEPT_RECORDS", 3)
    environments = []
    made = demo.simcord.Env
    monkeypatch.setattr(
        demo.simcord, "Env", lambda *args, **kwargs: environments.append(made(*args, **kwargs)) or environments[0]
    )
    async with running(database, tmp_path) as page:
        await page.shows("This machine", "The bot itself")
        backend = environments[0].backend
        await until(lambda: len(backend.http_requests) <= 3 and len(backend.transcript) <= 3, "the records to go")


async def test_a_taken_port_is_named(database: Database, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = load_settings(data_dir=tmp_path, demo_port=taken.getsockname()[1])
        with pytest.raises(PortTakenError, match="HOMELAB_DEMO_PORT"):
            await run_demo(settings, DatabaseUrls(database.owner_url, database.bot_url), print)


async def until_newer(page: Page, state: Any) -> None:
    """Wait until the page was published again."""

    async def newer() -> bool:
        current = await page.state()
        return bool(current["publishedRevision"] > state["publishedRevision"])

    await until(newer, "the page to be published again")
