from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
from fastapi import FastAPI

from app.web.main import first_run_link
from app.web.security.first_run import FirstRun
from tests.web.browser import BASE, PASSWORD, Browser

ANNA = {"username": "Anna", "password": PASSWORD, "repeated": PASSWORD}


async def token_of(app: FastAPI) -> str:
    link = await first_run_link(app, BASE)
    assert link is not None
    assert link.startswith(f"{BASE}/setup?token=")
    return link.partition("token=")[2]


async def test_the_link_makes_the_first_admin_and_logs_in(
    app: FastAPI, visitor: Browser, owner: asyncpg.Connection
) -> None:
    token = await token_of(app)
    page = await visitor.get(f"/setup?token={token}")
    assert "Make the first user" in page.text
    answer = await visitor.post("/setup", {"token": token, **ANNA})
    assert answer.headers["location"] == "/"
    assert (await visitor.get("/")).status_code == 200
    row = await owner.fetchrow("SELECT username, role, password_hash FROM users")
    assert (row["username"], row["role"]) == ("anna", "admin")
    assert row["password_hash"].startswith("$argon2id$")
    logged = await owner.fetchrow("SELECT actor_name, action, detail::text AS detail FROM audit_log")
    assert (logged["actor_name"], logged["action"]) == ("anna", "users.create")
    assert PASSWORD not in logged["detail"]


async def test_the_link_works_once(app: FastAPI, open_browser: Callable[..., Browser]) -> None:
    token = await token_of(app)
    first, second = open_browser(), open_browser()
    for browser in (first, second):
        assert "Make the first user" in (await browser.get(f"/setup?token={token}")).text
    assert (await first.post("/setup", {"token": token, **ANNA})).headers["location"] == "/"
    late = await second.post("/setup", {"token": token, **ANNA, "username": "mallory"})
    assert late.headers["location"] == "/login"
    assert (await second.get(f"/setup?token={token}")).headers["location"] == "/login"
    assert await first_run_link(app, BASE) is None


async def test_of_two_at_the_same_moment_one_is_first(
    app: FastAPI, open_browser: Callable[..., Browser], owner: asyncpg.Connection
) -> None:
    token = await token_of(app)
    browsers = [open_browser(), open_browser()]
    for browser in browsers:
        await browser.get(f"/setup?token={token}")
    names = ("anna", "bert")
    await asyncio.gather(
        *(
            browser.post("/setup", {"token": token, **ANNA, "username": name})
            for browser, name in zip(browsers, names, strict=True)
        )
    )
    assert await owner.fetchval("SELECT count(*) FROM users") == 1


async def test_another_token_is_refused(app: FastAPI, visitor: Browser, owner: asyncpg.Connection) -> None:
    await token_of(app)
    page = await visitor.get("/setup?token=guess")
    assert page.status_code == 403
    assert "not valid" in page.text
    assert (await visitor.post("/setup", {"token": "guess", **ANNA})).status_code == 403
    assert await owner.fetchval("SELECT count(*) FROM users") == 0


async def test_what_is_wrong_is_said_and_the_name_kept(app: FastAPI, visitor: Browser) -> None:
    token = await token_of(app)
    await visitor.get(f"/setup?token={token}")
    short = await visitor.post("/setup", {"token": token, "username": "anna", "password": "short", "repeated": "short"})
    assert short.status_code == 422
    assert "must have at least 10 characters" in short.text
    assert 'value="anna"' in short.text
    other = await visitor.post("/setup", {"token": token, **ANNA, "repeated": "something else"})
    assert "is not the same as the password" in other.text
    assert PASSWORD not in other.text


def test_a_token_is_good_until_the_next_one_or_the_end() -> None:
    first_run = FirstRun()
    assert not first_run.accepts("")
    old = first_run.issue()
    new = first_run.issue()
    assert not first_run.accepts(old)
    assert first_run.accepts(new)
    first_run.finish()
    assert not first_run.accepts(new)
