from __future__ import annotations

import re
from collections.abc import Callable

import asyncpg

from app.web.security.tokens import token_hash
from tests.support import factories
from tests.web.browser import Browser


async def test_a_token_is_shown_once_and_works(
    editor: Browser, owner: asyncpg.Connection, open_browser: Callable[..., Browser]
) -> None:
    page = (await editor.post("/account/tokens", {"name": "backup", "role": "viewer", "days": "30"})).text
    token = re.search(r'id="new-token">(hl_[\w-]+)<', page)
    assert token is not None
    row = await owner.fetchrow("SELECT * FROM api_tokens")
    assert (row["token_hash"], row["role"]) == (token_hash(token[1]), "viewer")
    assert row["expires_at"] is not None
    again = (await editor.get("/account")).text
    assert token[1] not in again
    assert "backup" in again
    script = open_browser()
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert (await script.get("/api/v1/dashboards", headers=headers)).status_code == 200
    await editor.post(f"/account/tokens/{row['id']}/revoke")
    assert (await script.get("/api/v1/dashboards", headers=headers)).status_code == 401
    log = await owner.fetch("SELECT audit_log::text AS line FROM audit_log WHERE action LIKE 'tokens.%'")
    assert len(log) == 2
    assert all(token[1] not in line["line"] for line in log)


async def test_a_token_cannot_be_more_than_its_maker(editor: Browser, owner: asyncpg.Connection) -> None:
    answer = await editor.post("/account/tokens", {"name": "x", "role": "admin", "days": ""})
    assert answer.status_code == 422
    assert "must not be more than your own role" in answer.text
    for wrong in ({"name": " "}, {"role": "king"}, {"days": "7"}):
        assert (await editor.post("/account/tokens", {"name": "x", "role": "viewer", **wrong})).status_code == 422
    assert await owner.fetchval("SELECT count(*) FROM api_tokens") == 0


async def test_nobody_revokes_the_token_of_another(editor: Browser, owner: asyncpg.Connection) -> None:
    row = await factories.api_token(owner)
    await editor.post(f"/account/tokens/{row['id']}/revoke")
    assert await owner.fetchval("SELECT count(*) FROM api_tokens") == 1
