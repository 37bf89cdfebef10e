"""Every change of a definition leaves a revision, whoever makes it."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from app.cli.provision import builtin_types
from app.definitions.builtin_types import TypeDescription
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.catalog import seed
from tests.support.database import Database

KEPT = {
    "settings": (factories.setting, "description", "key"),
    "guilds": (factories.guild, "name", "id"),
    "dashboards": (factories.dashboard, "description", "id"),
    "dashboard_components": (factories.component, "name", "id"),
    "data_sources": (factories.data_source, "title", "id"),
    "services": (factories.service, "type", "id"),
    "actions": (factories.action, "title", "id"),
    "commands": (factories.command, "description", "id"),
    "permission_grants": (factories.grant, "scope", "id"),
    "users": (factories.user, "username", "id"),
    "api_tokens": (factories.api_token, "name", "id"),
}


async def kept(connection: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    return await connection.fetch("SELECT * FROM revisions WHERE table_name = $1 ORDER BY id", table)


async def act(connection: asyncpg.Connection, **actor: Any) -> None:
    await connection.execute("SELECT set_config('homelab.actor', $1, true)", json.dumps(actor))


@pytest.mark.parametrize("table", KEPT)
async def test_insert_update_and_delete_are_kept_with_the_row_before_and_after(
    table: str, owner: asyncpg.Connection
) -> None:
    make, column, key = KEPT[table]
    row = await make(owner)
    await owner.execute(f"UPDATE {table} SET {column} = 'changed' WHERE {key} = $1", row[key])
    await owner.execute(f"DELETE FROM {table} WHERE {key} = $1", row[key])

    made, changed, deleted = await kept(owner, table)

    assert [revision["operation"] for revision in (made, changed, deleted)] == ["insert", "update", "delete"]
    assert {revision["row_key"] for revision in (made, changed, deleted)} == {str(row[key])}
    assert made["before"] is None
    assert made["after"] == changed["before"]
    assert changed["fields"] == [column]
    assert changed["after"] == {**changed["before"], column: "changed"}
    assert deleted["before"] == changed["after"]
    assert deleted["after"] is None
    assert "updated_at" not in made["after"]
    for revision in (made, changed, deleted):
        assert (revision["actor_type"], revision["actor_name"]) == ("sql", await owner.fetchval("SELECT session_user"))


async def test_what_must_not_be_shown_is_not_kept_only_that_it_changed(owner: asyncpg.Connection) -> None:
    secret = await factories.secret(owner, SecretBox("A" * 43 + "="), "swordfish")
    user = await factories.user(owner, password_hash="hash of a password")
    token = await factories.api_token(owner, user_id=user["id"], token_hash="hash of a token")
    await owner.execute("UPDATE secrets SET ciphertext = 'other' WHERE id = $1", secret["id"])
    await owner.execute("UPDATE users SET password_hash = 'other', session_epoch = 1")
    await owner.execute("UPDATE api_tokens SET token_hash = 'other' WHERE id = $1", token["id"])

    changes = await owner.fetch("SELECT table_name, fields, before, after FROM revisions WHERE operation = 'update'")

    assert {change["table_name"]: change["fields"] for change in changes} == {
        "secrets": ["ciphertext"],
        "users": ["password_hash"],
        "api_tokens": ["token_hash"],
    }
    everything = await owner.fetchval("SELECT string_agg(revisions::text, ' ') FROM revisions")
    for hidden in ("hash of", "other", "swordfish", secret["ciphertext"].hex()):
        assert hidden not in everything


async def test_being_seen_and_being_counted_is_no_revision(owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    await factories.user(owner)
    await factories.api_token(owner)
    before = await owner.fetchval("SELECT count(*) FROM revisions")

    await owner.execute("UPDATE guilds SET last_seen_at = now(), updated_at = now() WHERE id = $1", board["guild_id"])
    await owner.execute("UPDATE users SET last_login_at = now(), session_epoch = 5")
    await owner.execute("UPDATE api_tokens SET last_used_at = now()")
    await owner.execute("UPDATE dashboards SET version = version + 1, name = name")

    assert await owner.fetchval("SELECT count(*) FROM revisions") == before


async def test_a_component_raises_the_version_of_its_dashboard_without_a_revision_of_it(
    owner: asyncpg.Connection,
) -> None:
    board = await factories.dashboard(owner)
    part = await factories.component(owner, dashboard_id=board["id"])

    assert len(await kept(owner, "dashboards")) == 1
    (made,) = await kept(owner, "dashboard_components")
    assert (made["row_key"], made["parent_key"]) == (str(part["id"]), str(board["id"]))


async def test_an_actor_holds_for_its_transaction_and_no_longer(owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        await act(owner, type="web", id="7", name="anna", note="restored")
        await factories.service(owner)
    await factories.service(owner)

    anna, after = await kept(owner, "services")

    assert [anna[name] for name in ("actor_type", "actor_id", "actor_name", "note")] == ["web", "7", "anna", "restored"]
    assert after["actor_type"] == "sql"


@pytest.mark.parametrize(
    "said", ["anna", "{", "[1]", '"web"', '{"type": "bot"}', '{"type": 5}', "{}", '{"type": "sql"}']
)
async def test_an_actor_that_is_none_is_the_role(owner: asyncpg.Connection, said: str) -> None:
    await owner.execute("SELECT set_config('homelab.actor', $1, false)", said)
    await factories.service(owner)

    (made,) = await kept(owner, "services")
    assert (made["actor_type"], made["actor_name"]) == ("sql", await owner.fetchval("SELECT session_user"))


async def test_the_bots_register_is_the_bots_whatever_it_says(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    async with bot_pool.acquire() as bot, bot.transaction():
        await act(bot, type="web", name="anna")
        await bot.execute("INSERT INTO guilds (id, name, last_seen_at) VALUES (5, 'lab', now())")
        await bot.execute("UPDATE guilds SET last_seen_at = now() WHERE id = 5")
        await bot.execute("UPDATE guilds SET name = 'renamed' WHERE id = 5")

    revisions = await kept(owner, "guilds")

    assert [(found["operation"], found["actor_type"], found["actor_name"]) for found in revisions] == [
        ("insert", "bot", "homelab_bot"),
        ("update", "bot", "homelab_bot"),
    ]


async def test_changes_of_one_commit_belong_together(owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    for _ in range(3):
        await factories.component(owner, dashboard_id=board["id"])

    await owner.execute("DELETE FROM dashboards WHERE id = $1", board["id"])

    deleted = await owner.fetch("SELECT * FROM revisions WHERE operation = 'delete'")
    assert sorted(revision["table_name"] for revision in deleted) == ["dashboard_components"] * 3 + ["dashboards"]
    assert len({(revision["transaction_id"], revision["at"]) for revision in deleted}) == 1


async def test_another_key_is_another_record(owner: asyncpg.Connection) -> None:
    await factories.setting(owner, key="old")
    await owner.execute("UPDATE settings SET key = 'new'")

    _, gone, made = await kept(owner, "settings")
    assert (gone["operation"], gone["row_key"]) == ("delete", "old")
    assert (made["operation"], made["row_key"]) == ("insert", "new")


async def test_truncate_keeps_each_row(owner: asyncpg.Connection) -> None:
    await factories.component(owner)
    await factories.component_type(owner, kind="builtin")
    await owner.execute("TRUNCATE dashboards, component_types CASCADE")

    deleted = await owner.fetch("SELECT table_name, before FROM revisions WHERE operation = 'delete'")
    assert sorted(revision["table_name"] for revision in deleted) == ["dashboard_components", "dashboards"]
    assert all(revision["before"] for revision in deleted)


async def test_builtin_types_are_described_without_a_revision_but_switched_off_with_one(
    owner: asyncpg.Connection,
) -> None:
    await factories.component_type(owner, name="text", kind="builtin")
    await owner.execute("UPDATE component_types SET config_schema = '{\"a\": 1}', description = 'new'")
    assert await kept(owner, "component_types") == []

    await owner.execute("UPDATE component_types SET enabled = false")
    (switched,) = await kept(owner, "component_types")
    assert switched["fields"] == ["enabled"]

    await factories.component_type(owner, name="mine", kind="template", definition={"blocks": []})
    assert (await kept(owner, "component_types"))[1]["after"]["definition"] == {"blocks": []}


async def test_the_catalog_says_that_it_was_the_catalog_and_keeps_its_memory_to_itself(
    owner: asyncpg.Connection,
    database: Database,
) -> None:
    types = [one for one in builtin_types() if one.name != "text"]
    await seed(database, [*types, TypeDescription("component_types", "text", "Text", "", {})])

    made = await owner.fetch("SELECT DISTINCT table_name, actor_type, actor_name FROM revisions")
    assert {record["table_name"] for record in made} >= {"services", "commands"}
    assert {(record["actor_type"], record["actor_name"]) for record in made} == {("catalog", "catalog")}
    assert "settings" not in {record["table_name"] for record in made}
    assert await owner.fetchval("SELECT count(*) FROM revisions WHERE row_key = 'text'") == 0

    before = await owner.fetchval("SELECT count(*) FROM revisions")
    await seed(database, [*types, TypeDescription("component_types", "text", "Another", "", {"a": 1})])
    assert await owner.fetchval("SELECT count(*) FROM revisions") == before

    await owner.execute("UPDATE settings SET value = '[]' WHERE key = 'catalog.seeded'")
    assert len(await kept(owner, "settings")) == 1


async def test_a_table_that_is_watched_later_keeps_revisions_too(owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TABLE alert_rules (id int PRIMARY KEY, rule text, updated_at timestamptz)")
    await owner.execute("SELECT homelab_watch('alert_rules', 'id')")
    await owner.execute("INSERT INTO alert_rules VALUES (5, 'cpu > 1')")
    await owner.execute("UPDATE alert_rules SET rule = 'cpu > 2'")
    await owner.execute("UPDATE alert_rules SET updated_at = now()")

    assert [found["fields"] for found in await kept(owner, "alert_rules")] == [[], ["rule"]]


async def test_a_column_that_somebody_added_is_kept(owner: asyncpg.Connection) -> None:
    await owner.execute("ALTER TABLE services ADD COLUMN team text")
    await factories.service(owner, team="night")
    assert (await kept(owner, "services"))[0]["after"]["team"] == "night"


async def test_a_temporary_table_cannot_take_the_place_of_revisions(owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TEMPORARY TABLE revisions (LIKE public.revisions)")
    await factories.service(owner)
    assert await owner.fetchval("SELECT count(*) FROM public.revisions WHERE table_name = 'services'") == 1


async def test_what_is_rolled_back_leaves_nothing(owner: asyncpg.Connection) -> None:
    transaction = owner.transaction()
    await transaction.start()
    await factories.service(owner)
    await transaction.rollback()
    assert await kept(owner, "services") == []


async def test_big_rows_are_kept_whole(owner: asyncpg.Connection) -> None:
    config = {"text": "ä" * 2_000_000}
    part = await factories.component(owner, type="text", config=config)
    await owner.execute("UPDATE dashboard_components SET position = 9 WHERE id = $1", part["id"])

    _, moved = await kept(owner, "dashboard_components")
    assert moved["before"]["config"] == moved["after"]["config"] == config
    assert moved["fields"] == ["position"]
