from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from app.bot.domain.errors import MissingColumnError
from app.bot.domain.services import ServiceStatus
from app.bot.infrastructure.repositories import (
    PostgresDataSources,
    PostgresGuilds,
    PostgresServices,
    PostgresSettings,
    postgres_actions,
    postgres_commands,
    postgres_component_types,
    postgres_grants,
)
from tests.support import factories


async def test_services(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    row = await factories.service(owner, config={"pace": 2}, enabled=False)
    (service,) = await PostgresServices(bot_pool).all()
    assert (service.id, service.name, service.type) == (row["id"], row["name"], "collector")
    assert (service.config, service.enabled) == ({"pace": 2}, False)


async def test_commands(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    row = await factories.command(owner, config={"private": True})
    (command,) = await postgres_commands(bot_pool).all()
    assert (command.name, command.type, command.config) == (row["name"], "status", {"private": True})


async def test_actions(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    row = await factories.action(owner, title="Wake the box")
    (action,) = await postgres_actions(bot_pool).all()
    assert (action.id, action.title) == (row["id"], "Wake the box")


async def test_grants(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await factories.grant(owner, subject_type="role", subject_id=8, guild_id=9, scope="wake", effect="deny")
    (grant,) = await postgres_grants(bot_pool).all()
    assert (grant.subject_type, grant.subject_id, grant.guild_id) == ("role", 8, 9)
    assert (grant.permission, grant.scope, grant.effect) == ("action.run", "wake", "deny")


async def test_component_types_are_those_that_are_composed_and_switched_on(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await factories.component_type(owner, name="builtin")
    await factories.component_type(owner, name="off", kind="template", enabled=False)
    await factories.component_type(owner, name="card", kind="template", title="Card", definition={"components": []})
    await owner.execute("ALTER TABLE component_types ADD COLUMN icon text DEFAULT 'x'")
    (card,) = await postgres_component_types(bot_pool).all()
    assert (card.name, card.title, card.definition) == ("card", "Card", {"components": []})
    assert card.attributes["icon"] == "x"


async def test_settings(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await factories.setting(owner, key="a", value=[1, None])
    await factories.setting(owner, key="b", value="text")
    assert await PostgresSettings(bot_pool).all() == {"a": [1, None], "b": "text"}


async def test_data_sources(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await factories.data_source(owner, title="Box", interval_seconds=2.5)
    (source,) = await PostgresDataSources(bot_pool).all()
    assert (source.label, source.interval_seconds, source.timeout_seconds) == ("Box", 2.5, 10.0)


REPOSITORIES: dict[str, tuple[Callable[[asyncpg.Pool], Any], Callable[..., Any], str]] = {
    "services": (PostgresServices, factories.service, "type"),
    "commands": (postgres_commands, factories.command, "name"),
    "actions": (postgres_actions, factories.action, "type"),
    "permission_grants": (postgres_grants, factories.grant, "permission"),
    "settings": (PostgresSettings, factories.setting, "value"),
    "data_sources": (PostgresDataSources, factories.data_source, "name"),
    "guilds": (PostgresGuilds, factories.guild, "id"),
}


@pytest.mark.parametrize("table", REPOSITORIES)
async def test_a_needed_column_that_is_dropped_is_named_and_a_new_one_is_no_matter(
    table: str, bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    make_repository, make_row, needed = REPOSITORIES[table]
    repository = make_repository(bot_pool)
    await make_row(owner)
    before = await repository.all()
    await owner.execute(f"ALTER TABLE {table} ADD COLUMN team text DEFAULT 'night'")
    after = await repository.all()
    if table == "settings":
        assert after == before
    else:
        assert after[0].attributes["team"] == "night"
    await owner.execute(f"ALTER TABLE {table} DROP COLUMN {needed} CASCADE")
    with pytest.raises(MissingColumnError, match=needed):
        await repository.all()


async def test_the_status_of_a_service_keeps_the_time_of_its_last_change(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    repository = PostgresServices(bot_pool)
    row = await factories.service(owner)
    times = []
    for status, error in (
        (ServiceStatus.RUNNING, None),
        (ServiceStatus.RUNNING, None),
        (ServiceStatus.FAILED, "nul\x00 in the error"),
    ):
        await repository.save_status(row["id"], status, error)
        state = await owner.fetchrow("SELECT * FROM service_states")
        assert state is not None
        assert state["status"] == status.value
        times.append(state["changed_at"])
    assert times[0] == times[1] < times[2]
    assert state["error"] == "nul\ufffd in the error"


async def test_the_status_of_a_service_that_is_gone_is_dropped(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await PostgresServices(bot_pool).save_status(1, "running", None)
    assert await owner.fetchval("SELECT count(*) FROM service_states") == 0
