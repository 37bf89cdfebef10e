"""Triggers: what listeners hear, how changes are counted and dated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.shared.database.core.connection import connect
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.database import Database

Make = Callable[[asyncpg.Connection], Awaitable[asyncpg.Record]]
_BOX = SecretBox("A" * 43 + "=")


async def _secret(connection: asyncpg.Connection) -> asyncpg.Record:
    return await factories.secret(connection, _BOX, "swordfish")


FACTORIES: dict[str, tuple[Make, str]] = {
    "settings": (factories.setting, "key"),
    "guilds": (factories.guild, "id"),
    "dashboards": (factories.dashboard, "id"),
    "dashboard_components": (factories.component, "id"),
    "component_types": (factories.component_type, "name"),
    "data_source_types": (factories.data_source_type, "name"),
    "data_sources": (factories.data_source, "id"),
    "service_types": (factories.service_type, "name"),
    "services": (factories.service, "id"),
    "action_types": (factories.action_type, "name"),
    "actions": (factories.action, "id"),
    "command_types": (factories.command_type, "name"),
    "commands": (factories.command, "id"),
    "permission_grants": (factories.grant, "id"),
    "secrets": (_secret, "id"),
    "users": (factories.user, "id"),
    "api_tokens": (factories.api_token, "id"),
}


class Ears:
    """Hears the notifications of one database."""

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []

    def hear(self, _connection: object, _pid: object, _channel: object, payload: object) -> None:
        self.payloads.append(json.loads(str(payload)))

    def of(self, table: str) -> list[dict[str, Any]]:
        return [payload for payload in self.payloads if payload["table"] == table]


@pytest.fixture
async def listener(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database.bot_url)
    yield connection
    await connection.close()


@pytest.fixture
async def ears(listener: asyncpg.Connection) -> Ears:
    ears = Ears()
    await listener.add_listener("homelab_changes", ears.hear)
    return ears


async def heard(listener: asyncpg.Connection) -> None:
    """Return when all that was committed before has been heard: a round trip brings it along."""
    await listener.fetchval("SELECT 1")
    await asyncio.sleep(0)


async def revisions(connection: asyncpg.Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT table_name, revision FROM definition_revisions")
    return {row["table_name"]: row["revision"] for row in rows}


async def test_every_definition_table_is_watched_by_its_factory_here(owner: asyncpg.Connection) -> None:
    assert set(await revisions(owner)) == set(FACTORIES)
    placed = {"dashboard_placements", "dashboard_messages"}
    runtime = placed | {"source_states", "service_states", "discord_channels", "bot_instances", "pushes"}
    other = {"audit_log", "definition_revisions", "revisions", "source_tests", "alembic_version"}
    tables = {row[0] for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    history = {"series", "samples", "samples_five_minutes", "samples_hours", "rollup_marks"}
    runs = {"action_runs", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"}
    assert tables == set(FACTORIES) | runtime | history | runs | other


@pytest.mark.parametrize("table", FACTORIES)
async def test_insert_update_and_delete_are_announced_and_counted(
    table: str, owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    make, key = FACTORIES[table]
    before = (await revisions(owner))[table]
    row = await make(owner)
    parent = row.get("dashboard_id")
    await owner.execute(f"UPDATE {table} SET created_at = created_at - interval '1 day' WHERE {key} = $1", row[key])
    await owner.execute(f"DELETE FROM {table} WHERE {key} = $1", row[key])
    await heard(listener)
    assert ears.of(table) == [
        {"table": table, "id": row[key], "op": operation, "parent": parent}
        for operation in ("INSERT", "UPDATE", "DELETE")
    ]
    assert (await revisions(owner))[table] == before + 3


async def test_a_change_rolled_back_is_neither_announced_nor_counted(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    before = await revisions(owner)
    transaction = owner.transaction()
    await transaction.start()
    await factories.service(owner)
    await transaction.rollback()
    await heard(listener)
    assert ears.payloads == []
    assert await revisions(owner) == before


async def test_a_transaction_counts_once_per_table(owner: asyncpg.Connection) -> None:
    before = (await revisions(owner))["services"]
    async with owner.transaction():
        for _ in range(5):
            await factories.service(owner)
    assert (await revisions(owner))["services"] == before + 1


async def test_an_update_that_changes_nothing_is_silent(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    board = await factories.dashboard(owner)
    await heard(listener)
    ears.payloads.clear()
    await owner.execute("UPDATE dashboards SET name = name")
    await owner.execute("UPDATE guilds SET last_seen_at = now()")
    await heard(listener)
    assert ears.payloads == []
    after = await owner.fetchrow("SELECT * FROM dashboards WHERE id = $1", board["id"])
    assert after is not None
    assert (after["version"], after["updated_at"]) == (board["version"], board["updated_at"])


async def test_a_change_raises_version_and_date(owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    after = await owner.fetchrow("UPDATE dashboards SET description = 'new', version = 99 RETURNING *")
    assert after is not None
    assert after["version"] == board["version"] + 1
    assert after["updated_at"] > board["updated_at"]


async def test_a_change_of_a_component_raises_its_dashboards_version(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    board = await factories.dashboard(owner)
    versions = [board["version"]]

    async def note() -> None:
        versions.append(await owner.fetchval("SELECT version FROM dashboards WHERE id = $1", board["id"]))

    part = await factories.component(owner, dashboard_id=board["id"])
    await note()
    await owner.execute("UPDATE dashboard_components SET position = 7 WHERE id = $1", part["id"])
    await note()
    await owner.execute("UPDATE dashboard_components SET position = 7 WHERE id = $1", part["id"])
    await note()
    await owner.execute("DELETE FROM dashboard_components WHERE id = $1", part["id"])
    await note()
    assert versions == [1, 2, 3, 3, 4]
    await heard(listener)
    assert [payload["op"] for payload in ears.of("dashboards")] == ["INSERT"]  # the component's own word is enough


async def test_a_component_that_moves_tells_both_dashboards(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    part = await factories.component(owner)
    target = await factories.dashboard(owner)
    await owner.execute("UPDATE dashboard_components SET dashboard_id = $1", target["id"])
    await heard(listener)
    assert [payload["parent"] for payload in ears.of("dashboard_components")[1:]] == [
        part["dashboard_id"],
        target["id"],
    ]
    assert {row[0] for row in await owner.fetch("SELECT version FROM dashboards")} == {2, 3}


async def test_deleting_a_dashboard_announces_its_components_too(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    part = await factories.component(owner)
    await owner.execute("DELETE FROM dashboards")
    await heard(listener)
    assert ears.of("dashboards")[-1]["op"] == "DELETE"
    assert ears.of("dashboard_components")[-1]["parent"] == part["dashboard_id"]


async def test_a_renamed_key_is_gone_and_new(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    row = await factories.setting(owner)
    await owner.execute("UPDATE settings SET key = 'other'")
    await heard(listener)
    assert [(payload["id"], payload["op"]) for payload in ears.of("settings")[1:]] == [
        (row["key"], "DELETE"),
        ("other", "UPDATE"),
    ]


async def test_truncate_is_announced_without_an_id(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    before = (await revisions(owner))["actions"]
    await owner.execute("TRUNCATE actions")
    await heard(listener)
    assert ears.payloads == [{"table": "actions", "id": None, "op": "TRUNCATE", "parent": None}]
    assert (await revisions(owner))["actions"] == before + 1


async def test_a_key_too_long_for_a_notification_does_not_fail_the_change(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    await factories.setting(owner, key="a" * 9_000)
    await heard(listener)
    assert [payload["id"] for payload in ears.of("settings")] == [None]


async def test_an_open_transaction_keeps_no_other_editor_waiting(database: Database, owner: asyncpg.Connection) -> None:
    other = await connect(database.owner_url)
    await other.execute("SET lock_timeout = '100ms'")
    async with owner.transaction():
        await factories.service(owner)
        await factories.service(other)
    await other.close()
    assert await owner.fetchval("SELECT count(*) FROM services") == 2


async def test_editors_of_several_tables_in_opposite_order_do_not_deadlock(database: Database) -> None:
    async def edit(*makes: Make) -> None:
        connection = await connect(database.owner_url)
        for _ in range(10):
            async with connection.transaction():
                for make in makes:
                    await make(connection)
        await connection.close()

    await asyncio.gather(edit(factories.service, factories.action), edit(factories.action, factories.service))


async def test_columns_may_come_and_go_under_the_triggers(owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    await owner.execute("ALTER TABLE dashboards ADD COLUMN team text")
    await owner.execute("UPDATE dashboards SET team = 'night'")
    await owner.execute("ALTER TABLE dashboards DROP COLUMN description")
    await owner.execute("UPDATE dashboards SET team = 'day'")
    assert await owner.fetchval("SELECT version FROM dashboards") == board["version"] + 2


async def test_a_new_table_is_watched_with_one_call(
    owner: asyncpg.Connection, listener: asyncpg.Connection, ears: Ears
) -> None:
    await owner.execute("CREATE TABLE alert_rules (id int PRIMARY KEY, updated_at timestamptz)")
    await owner.execute("SELECT homelab_watch('alert_rules', 'id')")
    await owner.execute("INSERT INTO alert_rules VALUES (5)")
    await heard(listener)
    assert ears.payloads == [{"table": "alert_rules", "id": 5, "op": "INSERT", "parent": None}]
    assert (await revisions(owner))["alert_rules"] == 1
