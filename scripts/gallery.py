"""The pictures of docs/gallery.md, taken from `homelab gallery` by `make screenshots`."""

from __future__ import annotations

import re
import shutil

from playwright.sync_api import Locator, Page

from app.gallery import gallery
from scripts.screenshots import IMAGES
from tests.e2e.browser import browser, running_demo
from tests.support.database import private_folder

PICTURES = IMAGES / "gallery"
SIZE = {"width": 760, "height": 2_000}
WARM_UP_MILLISECONDS = 60_000
"""Long enough for every chart, and for a sparkline of what is read."""


def main() -> None:
    """Run the gallery and write a picture of every message."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with private_folder() as folder, running_demo(folder, "gallery") as running, browser() as chromium:
        page = chromium.new_page(viewport=SIZE)
        page.goto(running.demo_url)
        page.wait_for_timeout(WARM_UP_MILLISECONDS)
        take(page)


def take(page: Page) -> None:
    """Take a picture of each message, named after its dashboard; further messages of one are numbered."""
    names = [re.sub(r"\W+", "-", row["name"].lower()) for row in gallery()["dashboards"]]
    messages = page.locator("article.channel-message")
    taken: dict[str, int] = {}
    current = iter(names)
    name = ""
    for index in range(messages.count()):
        message = messages.nth(index)
        if message.locator("h2, h1, h3").count() or not name:
            name = next(current, name)
        taken[name] = taken.get(name, 0) + 1
        number = f"-{taken[name]}" if taken[name] > 1 else ""
        shoot(message, f"{name}{number}")


def shoot(message: Locator, name: str) -> None:
    """Bring a message into view, wait for its pictures, and take its picture."""
    parts = message.locator(".message-components")
    parts.scroll_into_view_if_needed()
    message.page.wait_for_timeout(1_500)
    parts.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
