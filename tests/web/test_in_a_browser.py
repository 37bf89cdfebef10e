"""What needs a real browser: scripts under the strict policy, the form editor, the order of components."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.browser import CHROMIUM
from tests.support import factories
from tests.web.browser import PASSWORD
from tests.web.conftest import QUICK
from tests.web.serving import served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("types"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture
async def page(app: FastAPI, owner: asyncpg.Connection) -> AsyncIterator[Page]:
    """A page of an editor who logged in. Whatever the browser complains about fails the test."""
    await factories.user(owner, username="anna", role="editor", password_hash=QUICK.hash(PASSWORD))
    complaints: list[str] = []
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        context = await chromium.new_context(base_url=address, viewport={"width": 1280, "height": 1000})
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/login")
        await page.fill("#username", "anna")
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        yield page
        await chromium.close()
    assert [text for text in complaints if "422" not in text] == []


def setting(page: Page, name: str) -> str:
    return f"[data-schemapath='root.{name}'] input"


async def test_a_config_is_made_with_a_form(page: Page, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    await factories.data_source(owner, name="host")
    await page.goto(f"/dashboards/{dashboard['id']}")
    await page.click("text=Add component")
    await page.select_option("#type", "metric")
    await page.fill(setting(page, "source"), "host")
    await page.fill(setting(page, "label"), "CPU")
    await page.press(setting(page, "label"), "Tab")
    await page.locator("button[type=submit]").last.click()
    await expect(page.locator("#config-error")).to_have_text("config.metric: must not be empty")
    await expect(page.locator(setting(page, "label"))).to_have_value("CPU")
    await page.fill(setting(page, "metric"), "cpu.percent")
    await page.press(setting(page, "metric"), "Tab")
    await page.locator("button[type=submit]").last.click()
    await expect(page.locator(".hl-part")).to_have_count(1)
    config = await owner.fetchval("SELECT config FROM dashboard_components")
    assert config == {"source": "host", "metric": "cpu.percent", "label": "CPU"}


async def test_another_type_swaps_the_form_and_keeps_what_was_typed(page: Page) -> None:
    await page.goto("/admin/components/create")
    await page.select_option("#type", "heading")
    await page.fill("[data-schemapath='root.text'] :is(input, textarea)", "Hello")
    await page.press("[data-schemapath='root.text'] :is(input, textarea)", "Tab")
    await page.select_option("#type", "separator")
    await expect(page.locator("[data-schemapath='root.text']")).to_have_count(0)
    await page.select_option("#type", "heading")
    await expect(page.locator("[data-schemapath='root.text'] :is(input, textarea)")).to_have_value("Hello")


async def test_what_the_form_cannot_show_is_shown_as_json(page: Page, owner: asyncpg.Connection) -> None:
    config = {"text": "Hello", "colour": "red"}
    row = await factories.component(owner, type="heading", config=config)
    await page.goto(f"/admin/components/edit?pk={row['id']}")
    text = page.locator("#config")
    await expect(text).to_be_visible()
    assert json.loads(await text.input_value()) == config
    await text.fill('{"text": "Bye"}')
    await page.click("text=Edit as a form")
    await expect(page.locator("[data-schemapath='root.text'] :is(input, textarea)")).to_have_value("Bye")
    await page.locator("button[type=submit]").last.click()
    await expect(page.get_by_role("heading", name="Components")).to_be_visible()
    assert await owner.fetchval("SELECT config FROM dashboard_components") == {"text": "Bye"}


async def test_saving_without_a_touch_changes_nothing(page: Page, owner: asyncpg.Connection) -> None:
    config = {"source": "host", "metric": "cpu", "thresholds": {"warning": 80}, "labels": {"mount": "/"}}
    row = await factories.component(owner, type="metric", config=config)
    await page.goto(f"/admin/components/edit?pk={row['id']}")
    await expect(page.locator(setting(page, "source"))).to_have_value("host")
    await page.locator("button[type=submit]").last.click()
    await expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert await owner.fetchval("SELECT config FROM dashboard_components") == config
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action LIKE 'components.%'") == 0


async def test_components_are_moved_and_the_preview_follows(page: Page, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    for position, text in enumerate(("First", "Second", "Third")):
        await factories.component(
            owner, dashboard_id=dashboard["id"], position=position, name=text, config={"text": text}
        )
    await page.goto(f"/dashboards/{dashboard['id']}")
    await page.locator(".hl-part").last.get_by_label("Move up").click()
    await expect(page.locator("#message h2")).to_have_text(["First", "Third", "Second"])
    await page.locator(".hl-grip").first.drag_to(page.locator(".hl-part").last)
    await expect(page.locator("#message h2").last).to_have_text("First")
    rows = await owner.fetch("SELECT name FROM dashboard_components ORDER BY position")
    assert rows[-1]["name"] == "First"


async def test_the_preview_follows_without_a_reload(page: Page, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    select = {"options": [{"page": "One"}, {"page": "Two"}]}
    part = {"dashboard_id": dashboard["id"]}
    await factories.component(owner, **part, type="page_select", config=select)
    await factories.component(owner, **part, type="text", page="One", position=1, config={"text": "on one"})
    second = await factories.component(owner, **part, type="text", page="Two", position=2, config={"text": "on two"})
    await page.goto(f"/dashboards/{dashboard['id']}")
    await page.select_option(".dc-select", "Two")
    await expect(page.locator("#message")).to_contain_text("on two")
    await owner.execute("UPDATE dashboard_components SET config = $1 WHERE id = $2", {"text": "again"}, second["id"])
    await expect(page.locator("#message")).to_contain_text("again", timeout=10_000)


async def test_a_row_is_deleted_after_a_question(page: Page, owner: asyncpg.Connection) -> None:
    await factories.action(owner, name="wake")
    await page.goto("/admin/actions/list")
    await page.locator("a[title=Delete]").click()
    await page.get_by_role("button", name="Yes, delete").click()
    await expect(page.get_by_text("was successfully deleted")).to_be_visible()
    assert await owner.fetchval("SELECT count(*) FROM actions") == 0


async def test_the_address_of_a_push_source_is_made_and_called(page: Page, owner: asyncpg.Connection) -> None:
    source = await factories.data_source(owner, name="backup", title="Backup", type="push")
    await page.goto(f"/data-sources/{source['id']}")
    await page.click("text=Make an address")
    address = await page.inner_text("#push-address")
    async with httpx.AsyncClient() as client:
        assert (await client.post(address, params={"value": "3"})).text == "ok\n"
    await page.goto(f"/data-sources/{source['id']}")
    await expect(page.get_by_text("1 call in all")).to_be_visible()
