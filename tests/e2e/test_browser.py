"""A newcomer's first minutes in a real browser: look, set up, change, and see Discord follow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import CHROMIUM, PASSWORD, browser, running_demo
from tests.support.database import private_folder

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


def set_up(page: Page, setup_url: str) -> None:
    page.goto(setup_url)
    page.fill("input[name=username]", "owner")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_change_in_the_admin_reaches_the_channel_that_someone_looks_at() -> None:
    with private_folder() as folder, running_demo(folder) as running, browser() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 1200})
        channel, admin = context.new_page(), context.new_page()
        channel.goto(running.demo_url)
        message = channel.locator("body")
        expect(message).to_contain_text("This machine", timeout=30_000)
        expect(message).to_contain_text("CPU")

        complaints: list[str] = []
        admin.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        set_up(admin, running.setup_url)
        admin.goto(f"{running.admin_url}/dashboards/1")
        expect(admin.locator("body")).to_contain_text("As Discord shows it")
        admin.get_by_role("link", name="Edit dashboard").click()
        admin.fill("input[name=name]", "My own rack")
        admin.locator("button[type=submit]", has_text="Save").first.click()

        # The page of the channel is not touched: it follows by itself.
        expect(message).to_contain_text("My own rack", timeout=15_000)
        assert complaints == []

        channel.locator("button", has_text="Refresh").nth(1).click()
        expect(message).to_contain_text("My own rack")
