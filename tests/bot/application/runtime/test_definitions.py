"""The bot's copy of the definitions, on a real database."""

from __future__ import annotations

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories, Table
from app.bot.domain.changes import Change
from app.bot.infrastructure.repositories import (
    PostgresDashboards,
    PostgresDataSources,
    PostgresGuilds,
    PostgresServices,
    PostgresSettings,
    postgres_actions,
    postgres_commands,
    postgres_component_types,
    postgres_grants,
    postgres_source_types,
)
from tests.support import factories


@pytest.fixture
def definitions(bot_pool: asyncpg.Pool) -> DefinitionCache:
    return DefinitionCache(
        DefinitionRepositories(
            dashboards=PostgresDashboards(bot_pool),
            sources=PostgresDataSources(bot_pool),
            services=PostgresServices(bot_pool),
            commands=postgres_commands(bot_pool),
            actions=postgres_actions(bot_pool),
            grants=postgres_grants(bot_pool),
            settings=PostgresSettings(bot_pool),
            guilds=PostgresGuilds(bot_pool),
            component_types=postgres_component_types(bot_pool),
            source_types=postgres_source_types(bot_pool),
        )
    )


async def test_reload_loads_every_kind(definitions: DefinitionCache, owner: asyncpg.Connection) -> None:
    component = await factories.component(owner)
    source = await factories.data_source(owner)
    service = await factories.service(owner)
    command = await factories.command(owner)
    action = await factories.action(owner)
    grant = await factories.grant(owner)
    setting = await factories.setting(owner, value={"a": 1})
    await factories.component_type(owner, name="card", kind="template")

    await definitions.reload()

    assert definitions.dashboards[component["dashboard_id"]].component(component["id"]) is not None
    assert definitions.sources[source["name"]].id == source["id"]
    assert service["id"] in definitions.services
    assert command["id"] in definitions.commands
    assert action["name"] in definitions.actions
    assert [known.id for known in definitions.grants] == [grant["id"]]
    assert definitions.settings[setting["key"]] == {"a": 1}
    assert len(definitions.guilds) == 1
    assert set(definitions.component_types) == {"card"}


async def test_a_changed_component_reloads_its_dashboard_alone(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    component = await factories.component(owner)
    untouched = await factories.dashboard(owner)
    await definitions.reload()
    told: list[int | None] = []
    definitions.subscribe(Table.DASHBOARDS, told.append)
    before = definitions.dashboards[untouched["id"]]

    await owner.execute('UPDATE dashboard_components SET config = \'{"text": "New"}\'')
    await definitions.apply(Change("dashboard_components", str(component["id"]), parent=component["dashboard_id"]))

    changed = definitions.dashboards[component["dashboard_id"]].component(component["id"])
    assert changed is not None
    assert changed.config == {"text": "New"}
    assert definitions.dashboards[untouched["id"]] is before
    assert told == [component["dashboard_id"]]


async def test_a_deleted_dashboard_is_forgotten(definitions: DefinitionCache, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    await definitions.reload()
    await owner.execute("DELETE FROM dashboards")

    await definitions.apply(Change("dashboards", str(dashboard["id"]), "DELETE"))

    assert definitions.dashboards == {}


async def test_a_change_without_a_row_reloads_the_table(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    await factories.dashboard(owner)
    told: list[int | None] = []
    definitions.subscribe(Table.DASHBOARDS, told.append)

    await definitions.apply(Change("dashboards", None, "TRUNCATE"))

    assert len(definitions.dashboards) == 1
    assert told == [None]


async def test_changes_of_other_tables_are_ignored(definitions: DefinitionCache) -> None:
    await definitions.apply(Change("something_else", "1"))
    assert definitions.dashboards == {}


async def test_a_missing_table_switches_off_its_feature_alone_with_one_line(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    await factories.dashboard(owner)
    await owner.execute("ALTER TABLE actions RENAME TO actions_hidden")

    with capture_logs() as logs:
        await definitions.reload()
        await definitions.reload()

    assert len(definitions.dashboards) == 1
    assert Table.ACTIONS in definitions.unavailable
    assert [line["event"] for line in logs].count("feature switched off: the schema lacks what it needs") == 1

    await owner.execute("ALTER TABLE actions_hidden RENAME TO actions")
    with capture_logs() as logs:
        await definitions.reload()
    assert definitions.unavailable == {}
    assert [line["event"] for line in logs] == ["feature switched on again"]


async def test_a_missing_column_with_a_default_is_no_fault(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    dashboard = await factories.dashboard(owner, renew_after=60)
    await definitions.reload()
    await owner.execute("ALTER TABLE dashboards DROP COLUMN renew_after")

    await definitions.reload()

    assert definitions.dashboards[dashboard["id"]].renew_after is None
    assert definitions.unavailable == {}


async def test_a_missing_column_without_a_default_switches_the_feature_off(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE services RENAME COLUMN type TO kind_of_service")
    await factories.insert(owner, "services", {"name": "one", "kind_of_service": "collector"})

    await definitions.reload()

    assert "type" in definitions.unavailable[Table.SERVICES]


async def test_a_new_column_is_an_attribute_at_once(definitions: DefinitionCache, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    await definitions.reload()

    await owner.execute("ALTER TABLE dashboards ADD COLUMN team text DEFAULT 'Blue'")
    await definitions.apply(Change("dashboards", str(dashboard["id"])))

    assert definitions.dashboards[dashboard["id"]].template_values()["team"] == "Blue"


async def test_subscribers_hear_of_a_change_in_the_order_of_subscribing(definitions: DefinitionCache) -> None:
    heard: list[str] = []

    class Listener:
        def changed(self, _changed: int | None) -> None:
            heard.append("a method")

    definitions.subscribe(Table.SETTINGS, Listener().changed)
    definitions.subscribe(Table.SETTINGS, lambda _changed: heard.append("a function"))

    await definitions.apply(Change("settings", None))

    assert heard == ["a method", "a function"]


async def test_one_kind_that_cannot_be_loaded_keeps_no_other_from_it(
    definitions: DefinitionCache, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await factories.data_source(owner)

    async def broken() -> None:
        raise ValueError("odd rows")

    monkeypatch.setattr(definitions.dashboards, "load", broken)

    await definitions.reload()

    assert len(definitions.sources) == 1
    assert "ValueError" in definitions.unavailable[Table.DASHBOARDS]
    assert "odd rows" not in definitions.unavailable[Table.DASHBOARDS], "the text of a fault may hold anything"


async def test_a_subscriber_that_fails_keeps_no_other_from_hearing(definitions: DefinitionCache) -> None:
    heard: list[int | None] = []

    def broken(_changed: int | None) -> None:
        raise RuntimeError

    definitions.subscribe(Table.SETTINGS, broken)
    definitions.subscribe(Table.SETTINGS, heard.append)

    await definitions.apply(Change("settings", "a"))

    assert heard == [None]


async def test_a_guild_that_is_switched_off_takes_its_dashboards_along(
    definitions: DefinitionCache, owner: asyncpg.Connection
) -> None:
    dashboard = await factories.dashboard(owner)
    await definitions.reload()
    assert definitions.dashboards[dashboard["id"]].enabled
    told: list[int | None] = []
    definitions.subscribe(Table.DASHBOARDS, told.append)

    await owner.execute("UPDATE guilds SET enabled = false")
    await definitions.apply(Change("guilds", str(dashboard["guild_id"])))
    assert not definitions.dashboards[dashboard["id"]].enabled
    assert told == [None]
    await definitions.apply(Change("dashboards", str(dashboard["id"])))
    assert not definitions.dashboards[dashboard["id"]].enabled

    await owner.execute("UPDATE guilds SET enabled = true")
    await definitions.apply(Change("guilds", str(dashboard["guild_id"])))
    assert definitions.dashboards[dashboard["id"]].enabled
