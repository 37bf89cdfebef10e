"""A mistake is found in the history and undone, in a real browser."""

from __future__ import annotations

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import CHROMIUM
from tests.support import factories
from tests.web.test_in_a_browser import page  # noqa: F401  # the fixture of an editor who logged in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("types"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


async def test_a_form_is_saved_and_the_change_undone(page: Page, owner: asyncpg.Connection) -> None:  # noqa: F811  # the fixture
    source = await factories.data_source(owner, name="nas", title="Old", config={"values": {"a": 1}})
    await page.goto(f"/admin/data-sources/edit?pk={source['id']}")
    await page.fill("#title", "Mistaken")
    await page.locator("button[type=submit]").last.click()
    await expect(page.get_by_role("heading", name="Data sources")).to_be_visible()

    await page.goto(f"/admin/data-sources/detail?pk={source['id']}")
    await page.locator(".page-header").get_by_role("link", name="History").click()
    await expect(page.locator(".hl-revision").first).to_contain_text("anna")
    await expect(page.locator(".hl-change").first).to_contain_text('"Mistaken"')
    await page.get_by_role("link", name="Details").first.click()
    await page.get_by_role("link", name="Restore the version before").click()
    await expect(page.locator(".hl-after")).to_have_text('"Old"')
    await page.get_by_role("button", name="Restore").click()

    await expect(page.get_by_role("status")).to_contain_text("Restored from revision")
    assert await owner.fetchval("SELECT title FROM data_sources") == "Old"
