"""The catalog comes into the database once, and fits the types that it names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

import app.bot.domain.components.types  # noqa: F401  # importing registers the component types
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.service_types import SERVICE_CONFIGS
from app.bot.domain.components.component import component_types, parse_config
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent, Layout
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.actions import action_types
from app.bot.infrastructure.sources import source_types
from app.bot.interface.commands import command_types
from app.definitions import seeding
from app.definitions.builtin_types import TypeDescription, describe
from app.definitions.form_schema import form_schema
from app.definitions.seeding import dashboard_texts
from app.shared.templating import SandboxedTemplates
from app.shared.yaml import read_yaml
from tests.support import factories
from tests.support.catalog import seed, seed_dashboards
from tests.support.database import Database


def dashboards() -> dict[str, Any]:
    return {key: read_yaml(text, key).data()["dashboards"][0] for key, text in dashboard_texts().items()}


def all_types() -> list[TypeDescription]:
    return [
        *describe("component_types", component_types.items()),
        *describe("data_source_types", source_types.items()),
        *describe("service_types", SERVICE_CONFIGS.items()),
        *describe("action_types", action_types.items()),
        *describe("command_types", command_types.items()),
    ]


async def test_every_builtin_type_is_described(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database, all_types())

    gauge = await owner.fetchrow("SELECT * FROM component_types WHERE name = 'gauge'")
    assert gauge is not None
    assert gauge["title"] == "Gauge"
    assert gauge["description"]
    assert "metric" in gauge["config_schema"]["properties"]
    assert await owner.fetchval("SELECT count(*) FROM component_types WHERE kind = 'builtin'") == len(component_types)
    assert await owner.fetchval("SELECT count(*) FROM data_source_types WHERE kind = 'builtin'") == len(source_types)
    assert await owner.fetchval("SELECT title FROM data_source_types WHERE name = 'http_json'") == "HTTP JSON"


@pytest.mark.parametrize("table", sorted({described.table for described in all_types()}))
def test_every_type_has_a_title_of_its_own(table: str) -> None:
    titles = [described.title for described in all_types() if described.table == table]
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if not title[0].isupper() or "_" in title] == []  # the name, without a title


async def test_the_catalogs_rows_fit_their_types(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database, all_types())

    for row in await owner.fetch("SELECT * FROM services"):
        parse_config(SERVICE_CONFIGS[row["type"]], row["config"], row["name"])
    for row in await owner.fetch("SELECT * FROM commands"):
        parse_config(command_types[row["type"]], row["config"], row["name"])
    for row in await owner.fetch("SELECT * FROM data_sources"):
        parse_config(source_types[row["type"]], row["config"], row["name"])
    for row in await owner.fetch("SELECT * FROM actions"):
        parse_config(action_types[row["type"]], row["config"], row["name"])
    assert await owner.fetchval("SELECT count(*) FROM services") == len(SERVICE_CONFIGS)


async def test_seeding_again_changes_nothing(owner: asyncpg.Connection, database: Database) -> None:
    guild = await factories.guild(owner)
    await seed(database, all_types())
    await seed_dashboards(database, guild["id"], {})
    before = await owner.fetch("SELECT * FROM definition_revisions ORDER BY table_name")

    await seed(database, all_types())
    await seed_dashboards(database, guild["id"], {})

    assert await owner.fetch("SELECT * FROM definition_revisions ORDER BY table_name") == before


async def test_what_a_user_changed_or_removed_stays_so(owner: asyncpg.Connection, database: Database) -> None:
    guild = await factories.guild(owner)
    await seed(database, all_types())
    await seed_dashboards(database, guild["id"], {})
    await owner.execute("UPDATE data_sources SET interval_seconds = 60 WHERE name = 'host'")
    await owner.execute("DELETE FROM commands WHERE name = 'sources'")
    await owner.execute("DELETE FROM dashboards WHERE name = 'This machine'")

    await seed(database, all_types())
    await seed_dashboards(database, guild["id"], {})

    assert await owner.fetchval("SELECT interval_seconds FROM data_sources WHERE name = 'host'") == 60
    assert await owner.fetchval("SELECT count(*) FROM commands WHERE name = 'sources'") == 0
    assert await owner.fetchval("SELECT count(*) FROM dashboards WHERE name = 'This machine'") == 0


async def test_a_dashboard_comes_with_its_channel_and_components(owner: asyncpg.Connection, database: Database) -> None:
    guild = await factories.guild(owner)
    await seed(database)
    await seed_dashboards(database, guild["id"], {"this-machine": 42})

    board = await owner.fetchrow("SELECT * FROM dashboards WHERE name = 'This machine'")
    assert board is not None
    assert board["channel_id"] == 42
    rows = await owner.fetch(
        "SELECT type FROM dashboard_components WHERE dashboard_id = $1 ORDER BY position", board["id"]
    )
    assert [row["type"] for row in rows] == [part["type"] for part in dashboards()["this-machine"]["components"]]


@pytest.mark.parametrize("key", sorted(dashboards()))
def test_the_catalogs_dashboards_build_without_a_problem(key: str) -> None:
    definition = dashboards()[key]
    Layout.model_validate(definition["layout"])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    readings = ReadingStore()
    readings.define([DataSource(1, "host", "host"), DataSource(2, "bot", "bot")], now)
    parts = tuple(
        DashboardComponent(
            number, 1, part["type"], number, part.get("name", ""), part.get("page"), part.get("config", {})
        )
        for number, part in enumerate(definition["components"])
    )
    dashboard = Dashboard(1, 1, definition["name"], layout=definition["layout"], components=parts)
    builder = DashboardBuilder(
        ComponentFactory(component_types), readings, SandboxedTemplates(filters=FILTERS, finalize=finalize)
    )
    for page in {part.page for part in parts}:
        built = builder.build(dashboard, now, page)
        assert built.problems == ()
        assert "****" not in repr(built), "titles are bold already"


def test_forms_show_the_settings_in_the_order_of_the_model() -> None:
    (described,) = describe("component_types", [("chart", component_types["chart"])])
    properties = form_schema(described.config_schema)["properties"]
    shown = sorted(properties, key=lambda name: properties[name]["propertyOrder"])
    assert shown[:4] == ["kind", "title", "series", "range"]
    assert properties["series"]["items"]["title"] == "series"


async def test_what_cannot_be_added_stops_nothing_and_is_tried_again(
    owner: asyncpg.Connection, database: Database
) -> None:
    text = (
        "services:\n  - {name: late, type: later}\nactions:\n  - {name: now, type: poll_source, config: {source: host}}"
    )
    texts = {"more.yaml": "commands:\n  - {name: lab, type: status, description: Ours}", "some.yaml": text}
    await seed(database, texts=texts)
    assert await owner.fetchval("SELECT count(*) FROM services") == 0
    assert await owner.fetchval("SELECT count(*) FROM actions") == 1
    assert await owner.fetchval("SELECT value FROM settings WHERE key = 'catalog.seeded'") == ["commands/lab"]

    await owner.execute("INSERT INTO service_types (name) VALUES ('later')")
    await seed(database, texts=texts)
    assert await owner.fetchval("SELECT count(*) FROM services") == 1


async def test_an_entry_that_is_taken_out_is_added_again(owner: asyncpg.Connection, database: Database) -> None:
    await seed(database)
    await owner.execute("DELETE FROM commands")
    await seed(database)
    assert await owner.fetchval("SELECT count(*) FROM commands") == 0

    await owner.execute("UPDATE settings SET value = value - 'commands/audit' WHERE key = 'catalog.seeded'")
    await seed(database)
    assert await owner.fetch("SELECT name FROM commands") == [("audit",)]


async def test_a_catalog_that_is_there_as_a_whole_is_not_read_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed(database)
    monkeypatch.delattr(seeding, "read_document")
    await seed(database)
    with pytest.raises(NameError):
        await seed(database, texts={"another.yaml": "commands: []"})
