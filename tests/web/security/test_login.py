from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.support import factories
from tests.web.browser import PASSWORD, Browser
from tests.web.conftest import QUICK, Clock


async def test_pages_ask_a_visitor_to_log_in_and_lead_back(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    answer = await visitor.get("/admin/dashboards/list?page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/admin/dashboards/list%3Fpage%3D2"
    logged_in = await visitor.log_in("anna", next="/admin/dashboards/list?page=2")
    assert logged_in.headers["location"] == "/admin/dashboards/list?page=2"


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_login_leads_nowhere_else(visitor: Browser, owner: asyncpg.Connection, place: str) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    assert (await visitor.log_in("anna", next=place)).headers["location"] == "/"


async def test_the_name_may_be_written_in_any_case(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    assert (await visitor.log_in(" Anna ")).status_code == 303


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong password"), ("nobody", PASSWORD), ("off", PASSWORD)])
async def test_wrong_logins_are_refused_alike(
    visitor: Browser, owner: asyncpg.Connection, name: str, password: str
) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    await factories.user(owner, username="off", enabled=False, password_hash=QUICK.hash(PASSWORD))
    answer = await visitor.log_in(name, password)
    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert f'value="{name}"' in answer.text
    assert password not in answer.text
    assert (await visitor.get("/")).headers["location"] == "/login"
    row = await owner.fetchrow("SELECT actor_name, outcome FROM audit_log WHERE action = 'login'")
    assert (row["actor_name"], row["outcome"]) == (name, "refused")


async def test_guessing_is_slowed_down_by_name_and_address(
    open_browser: Callable[..., Browser], owner: asyncpg.Connection, clock: Clock
) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    guesser, elsewhere = open_browser("192.0.2.1"), open_browser("192.0.2.2")
    for _ in range(5):
        assert (await guesser.log_in("anna", "wrong password")).status_code == 401
    refused = await guesser.log_in("anna")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await elsewhere.log_in("anna")).status_code == 303
    clock.now += 10
    assert (await guesser.log_in("anna")).status_code == 303


async def test_guesses_that_come_all_at_once_are_slowed_down_too(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.user(owner, username="anna", password_hash=QUICK.hash(PASSWORD))
    await visitor.get("/login")
    answers = await asyncio.gather(*(visitor.log_in("anna", f"guess number {number}") for number in range(20)))
    checked = [answer.status_code for answer in answers].count(401)
    assert checked <= 5
    assert all(answer.status_code in (401, 429) for answer in answers)


async def test_a_new_password_ends_the_other_sessions(
    log_in: Callable[[str], Awaitable[Browser]], open_browser: Callable[..., Browser], owner: asyncpg.Connection
) -> None:
    browser = await log_in("viewer")
    name = await owner.fetchval("SELECT username FROM users WHERE id = $1", browser.user_id)
    other = open_browser()
    await other.log_in(name)
    wrong = await browser.post("/account/password", {"current": "x", "password": "y" * 10, "repeated": "y" * 10})
    assert wrong.status_code == 422
    assert "is not your password" in wrong.text
    new = "another good password"
    done = await browser.post("/account/password", {"current": PASSWORD, "password": new, "repeated": new})
    assert done.status_code == 200
    assert (await browser.get("/")).status_code == 200
    assert (await other.get("/")).headers["location"] == "/login"
    assert (await open_browser().log_in(name)).status_code == 401
    assert (await open_browser().log_in(name, new)).status_code == 303


async def test_logging_out_ends_the_session_here(viewer: Browser) -> None:
    assert (await viewer.post("/logout")).headers["location"] == "/login"
    assert (await viewer.get("/")).headers["location"] == "/login"


async def test_a_user_who_is_switched_off_is_out_at_once(viewer: Browser, owner: asyncpg.Connection) -> None:
    assert (await viewer.get("/")).status_code == 200
    await owner.execute("UPDATE users SET enabled = false WHERE id = $1", viewer.user_id)
    assert (await viewer.get("/")).status_code == 303


async def test_the_session_cookie_is_for_the_server_alone(visitor: Browser) -> None:
    cookies = (await visitor.get("/login")).headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("homelab_session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Secure" not in session


async def test_a_forged_session_is_none(visitor: Browser) -> None:
    visitor.http.cookies.set("homelab_session", "WyJ4IiwxLDBd.aaaaaa.forged")
    assert (await visitor.get("/")).headers["location"] == "/login"
