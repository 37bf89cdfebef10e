"""A component type is made in the web admin, without code, and used at once."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Page, expect

from app.shared.yaml import read_typed_yaml
from tests.e2e.browser import CHROMIUM
from tests.support import factories
from tests.web.test_in_a_browser import page  # noqa: F401  # the fixture of an editor who logged in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("types"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]
PARAMETERS = """\
type: object
properties:
  source:
    type: string
    title: Data source
    description: The machine to show
    default: host
  title:
    type: string
    title: Headline
    default: Server
  details:
    type: boolean
    title: Show details
    default: true
required: [source]
additionalProperties: false
"""
DEFINITION = """\
components:
  - type: heading
    config:
      text: ${params.title}
      size: 3
  - type: gauge
    config:
      source: ${params.source}
      metric: cpu.percent
      label: Processor
  - type: text
    visible_when: params.details
    config:
      style: small
      text: Load {{ metric(params.source, 'load.1') }}
"""


async def test_a_type_is_made_without_code(page: Page, owner: asyncpg.Connection) -> None:  # noqa: F811  # the fixture
    source = await factories.data_source(owner, name="host")
    reading = {
        "taken_at": "2026-05-01T12:00:00+00:00",
        "status": "up",
        "message": "",
        "metrics": [
            {"name": "cpu.percent", "value": 63, "unit": "percent", "labels": {}},
            {"name": "load.1", "value": 1.25, "unit": "", "labels": {}},
        ],
        "items": {},
    }
    await owner.execute(
        "INSERT INTO source_states (data_source_id, status, polled_at, reading) VALUES ($1, 'up', now(), $2)",
        source["id"],
        reading,
    )
    await page.goto("/admin/component-types/list")
    await page.goto("/admin/component-types/create")
    await expect(page.locator("#sample-preview .dc-message")).to_be_visible()
    await page.fill("#title", "My server")
    await page.fill("#name", "my_server")
    await page.fill("#config_schema", PARAMETERS)
    await page.fill("#definition", DEFINITION.replace("heading", "headline"))
    preview = page.locator("#sample-preview")
    await expect(preview).to_contain_text("definition.components.0.type")
    await picture(page, "1-error")
    await page.locator("button[type=submit]").last.click()
    await expect(page.locator("#definition-error")).to_contain_text(
        "there is no type “headline”; did you mean “heading”"
    )
    await picture(page, "2-refused")
    await page.fill("#definition", DEFINITION)
    await page.fill("#sample", "title: Basement")
    await expect(preview).to_contain_text("Basement")
    await expect(preview).to_contain_text("Load 1.25")
    await expect(preview.locator(".hl-problems")).to_have_count(0)
    await picture(page, "3-preview")
    await page.locator("button[type=submit]").last.click()
    await expect(page.locator("table")).to_contain_text("my_server")
    await picture(page, "4-list")

    dashboard = await factories.dashboard(owner)
    await page.goto(f"/dashboards/{dashboard['id']}")
    await page.click("text=Add component")
    await page.select_option("#type", "my_server")
    await expect(page.locator("[data-schemapath='root.source'] input")).to_have_value("host")
    headline = page.locator("[data-schemapath='root.title'] input")
    await headline.fill("Attic")
    await headline.press("Tab")
    await picture(page, "5-form")
    await page.locator("button[type=submit]").last.click()
    await expect(page.locator("#message")).to_contain_text("Attic")
    await expect(page.locator("#message")).to_contain_text("Processor")
    await picture(page, "6-dashboard")
    assert await owner.fetchval("SELECT config FROM dashboard_components") == {"source": "host", "title": "Attic"}

    await page.goto("/admin/component-types/edit?pk=my_server")
    assert read_typed_yaml(await page.input_value("#definition")) == read_typed_yaml(DEFINITION)
    await page.fill("#definition", DEFINITION.replace("Load", "Load average"))
    await page.locator("button[type=submit]").last.click()
    await page.goto(f"/dashboards/{dashboard['id']}")
    await expect(page.locator("#message")).to_contain_text("Load average 1.25")


async def picture(page: Page, name: str) -> None:  # noqa: F811  # the fixture
    folder = os.environ.get("HOMELAB_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
