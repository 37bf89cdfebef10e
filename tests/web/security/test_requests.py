"""What every request goes through: form tokens, headers, sizes, and a database that is away."""

from __future__ import annotations

import logging
import re

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.shared.database.core.engine import create_engine
from app.shared.database.core.pool import create_pool
from app.shared.secrets import SecretBox
from app.web.main import create_app
from tests.support import factories
from tests.support.database import Database, Server
from tests.web.browser import BASE, PASSWORD, Browser


async def test_a_form_without_its_token_is_refused(editor: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    path = f"/admin/dashboards/edit?pk={dashboard['id']}"
    for values in ({}, {"csrftoken": "x" * 64}):
        answer = await editor.http.post(path, data={"name": "stolen", **values})
        assert answer.status_code == 403
        assert "Reload the page" in answer.text
    assert await owner.fetchval("SELECT name FROM dashboards") == dashboard["name"]


async def test_the_token_of_another_session_is_refused(editor: Browser, viewer: Browser) -> None:
    answer = await editor.http.post("/logout", data={"csrftoken": viewer.form_token})
    assert answer.status_code == 403


async def test_a_form_from_another_site_is_refused(editor: Browser) -> None:
    answer = await editor.post("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_the_api_wants_the_token_from_a_session_too(editor: Browser, owner: asyncpg.Connection) -> None:
    guild = await factories.guild(owner)
    body = {"guild_id": str(guild["id"]), "name": "lab"}
    refused = await editor.http.post("/api/v1/dashboards", json=body)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await editor.api("POST", "/dashboards", body)).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/account",
        "/admin/dashboards/list",
        "/admin/components/create",
        "/nowhere",
        "/admin/nowhere/list",
    ],
)
async def test_pages_have_a_strict_policy_and_no_inline_script_without_nonce(admin: Browser, path: str) -> None:
    answer = await admin.get(path, follow_redirects=True)
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert "unsafe-inline" not in re.sub(r"style-src-attr 'unsafe-inline'", "", policy)
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.text)
    assert all(f'nonce="{nonce[1]}"' in tag for tag in inline)
    assert not re.findall(r"<[^>]+\son[a-z]+=", answer.text)
    assert "https://rsms.me" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


async def test_each_answer_has_a_nonce_of_its_own(visitor: Browser) -> None:
    policies = {(await visitor.get("/login")).headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


async def test_a_huge_request_is_refused(editor: Browser) -> None:
    answer = await editor.post("/logout", {"filler": "x" * (2 * 1024 * 1024)})
    assert answer.status_code == 413


async def test_behind_https_cookies_are_secure(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://web.test") as client:
        answer = await client.get("/login")
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
    assert "strict-transport-security" in answer.headers


async def test_without_a_database_there_is_a_clear_answer(secret_box: SecretBox) -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/nowhere")
    previews = await create_pool("postgresql://nobody@127.0.0.1:1/nowhere", min_size=0)
    app = create_app(engine, previews, secret_box, signing_key="k" * 48)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        page = await client.get("/login")
        api = await client.get("/api/v1/dashboards", headers={"Authorization": "Bearer hl_x"})
        health = await client.get("/healthz")
    await engine.dispose()
    assert page.status_code == 503
    assert "The database does not answer" in page.text
    assert api.status_code == 503
    assert api.headers["content-type"] == "application/problem+json"
    assert (health.status_code, health.json()["database"]) == (503, "unreachable")


async def test_forms_are_never_logged(
    admin: Browser, owner: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await admin.post("/admin/secrets/create", {"name": "discord_token", "value": "very.secret.value"})
        new = "another good password"
        await admin.post("/account/password", {"current": PASSWORD, "password": new, "repeated": new})
    assert await owner.fetchval("SELECT count(*) FROM secrets") == 1
    for hidden in ("very.secret.value", PASSWORD, new):
        assert hidden not in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "/admin/dashboards/list?page=99999999999999999999",
        "/admin/dashboards/list?q=%00",
        "/admin/settings/detail?pk=%00",
        "/admin/_api/dashboards/relation-lookup?pks=abc",
        "/dashboards/1?page=%00",
        "/dashboards/%00",
        "/forms/component-types/%00",
        "/static/%00",
        "/login?next=%00",
        "/api/v1/settings/%00",
        "/api/v1/dashboards/%ED%A0%80",
    ],
)
async def test_no_address_is_a_fault_of_the_program(admin: Browser, path: str) -> None:
    assert (await admin.get(path)).status_code < 500


async def test_a_database_that_went_away_is_told_on_every_page(
    admin: Browser, database: Database, postgres: Server
) -> None:
    assert (await admin.get("/admin/dashboards/list")).status_code == 200
    await postgres.drop(database)
    for path in ("/", "/admin/dashboards/list", "/api/v1/dashboards"):
        answer = await admin.get(path)
        assert answer.status_code == 503
        assert "The database does not answer" in answer.text
