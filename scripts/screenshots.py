"""The pictures of the README, taken from the real pages: `make screenshots`."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.browser import Running, browser, running_demo
from tests.e2e.test_browser import set_up
from tests.support.database import private_folder

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE = {"width": 1280, "height": 1000}
WARM_UP_MILLISECONDS = 45_000
"""Long enough for a sparkline with some history."""


def main() -> None:
    """Run the demo, look at it as a newcomer would, and write the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with private_folder() as folder, running_demo(folder) as running:
        take(running)


def take(running: Running) -> None:
    """One picture of the channel, one of the admin's preview, one of its overview, one of a component type."""
    with browser() as chromium:
        context = chromium.new_context(viewport=SIZE, device_scale_factor=1)
        channel, admin = context.new_page(), context.new_page()
        channel.goto(running.demo_url)
        set_up(admin, running.setup_url)
        channel.wait_for_timeout(WARM_UP_MILLISECONDS)
        channel.screenshot(path=IMAGES / "demo.png")
        admin.goto(f"{running.admin_url}/")
        admin.screenshot(path=IMAGES / "overview.png")
        admin.goto(f"{running.admin_url}/dashboards/1")
        admin.wait_for_timeout(2_000)
        admin.screenshot(path=IMAGES / "admin.png")
        admin.set_viewport_size({"width": 1280, "height": 1500})
        admin.goto(f"{running.admin_url}/admin/component-types/edit?pk=server_card")
        admin.locator("#sample-preview .dc-message").wait_for()
        admin.locator("#definition").scroll_into_view_if_needed()
        admin.locator(".hl-sample").scroll_into_view_if_needed()
        admin.wait_for_timeout(500)
        admin.screenshot(path=IMAGES / "component-type.png")


if __name__ == "__main__":
    main()
