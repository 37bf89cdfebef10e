"""Export and apply by the REST API: for admins, with the same plan and the same problems as on the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.support import factories
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")
DOCUMENT = "data_sources:\n  - name: nas\n    type: static\n    config: {values: {a: 1}, password: hunter2}\n"


async def send(browser: Browser, text: str, query: str = "") -> tuple[int, dict]:  # type: ignore[type-arg]  # any JSON
    headers = {"X-CSRFToken": browser.form_token, "Content-Type": "application/yaml"}
    answer = await browser.http.post(f"/api/v1/apply{query}", content=text, headers=headers)
    return answer.status_code, answer.json()


async def test_a_document_is_applied_once(admin: Browser, owner: asyncpg.Connection) -> None:
    status, planned = await send(admin, DOCUMENT, "?dry_run=true")
    assert (status, planned["dry_run"]) == (200, True)
    assert await owner.fetchval("SELECT count(*) FROM data_sources") == 0
    assert "hunter2" not in str(planned)

    status, applied = await send(admin, DOCUMENT)
    assert (status, applied["changes"]) == (200, planned["changes"])
    assert [change["subject"] for change in applied["changes"]] == ["data source “nas”"]
    assert await owner.fetchval("SELECT config->>'password' FROM data_sources") == "hunter2"
    entry = await owner.fetchrow("SELECT actor_type, actor_id, target FROM audit_log WHERE action LIKE 'data-sources%'")
    assert entry is not None
    assert (entry["actor_type"], entry["actor_id"]) == ("web", str(admin.user_id))

    status, again = await send(admin, DOCUMENT, "?prune=true")
    assert (status, again["changes"], again["unchanged"]) == (200, [], 1)


async def test_what_is_exported_can_be_applied(admin: Browser, owner: asyncpg.Connection) -> None:
    guild = await factories.guild(owner, name="Lab")
    await factories.dashboard(owner, guild_id=guild["id"], name="Main")
    answer = await admin.get("/api/v1/export", params={"guild": "Lab"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/yaml")
    assert "guild: Lab" in answer.text
    status, applied = await send(admin, answer.text, "?prune=true")
    assert (status, applied["changes"]) == (200, [])
    assert (await admin.get("/api/v1/export", params={"guild": "Nowhere"})).status_code == 404


async def test_problems_are_told_with_their_lines(admin: Browser, owner: asyncpg.Connection) -> None:
    status, found = await send(admin, DOCUMENT + "  - name: b\n    type: nothing\n")
    assert status == 422
    assert found["errors"] == [
        {"field": "type", "message": "line 6: data source “b”: there is no type “nothing”; known: static"}
    ]
    assert await owner.fetchval("SELECT count(*) FROM data_sources") == 0


@pytest.mark.parametrize(
    "text", ["settings: [{key: a, value: '${env:HOME}'}]", "include: [/etc/passwd]", "a: [", "\x00"]
)
async def test_nobody_reads_the_servers_environment_or_files(admin: Browser, text: str) -> None:
    status, found = await send(admin, text)
    assert status == 422
    assert "root" not in str(found)


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_only_admins_may(log_in: Callable[[str], Awaitable[Browser]], role: str) -> None:
    browser = await log_in(role)
    assert (await browser.get("/api/v1/export")).status_code == 403
    assert (await send(browser, DOCUMENT))[0] == 403
