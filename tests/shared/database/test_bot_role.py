"""What the bot's role may do, and all it may not."""

from __future__ import annotations

import asyncpg
import pytest

from app.shared.secrets import SecretBox
from tests.support import factories

DEFINITIONS = (
    "settings",
    "guilds",
    "dashboards",
    "dashboard_components",
    "component_types",
    "data_source_types",
    "data_sources",
    "service_types",
    "services",
    "action_types",
    "actions",
    "command_types",
    "commands",
    "permission_grants",
    "secrets",
    "definition_revisions",
    "alembic_version",
)
RUNTIME = (
    "dashboard_messages",
    "dashboard_placements",
    "source_states",
    "service_states",
    "discord_channels",
    "bot_instances",
    "action_runs",
)


@pytest.mark.parametrize("table", DEFINITIONS)
async def test_definitions_are_read_and_not_written(bot_pool: asyncpg.Pool, table: str) -> None:
    await bot_pool.fetch(f"SELECT * FROM {table}")
    forbidden = [f"DELETE FROM {table}", f"TRUNCATE {table}"]
    if table != "guilds":
        forbidden.append(f"INSERT INTO {table} DEFAULT VALUES")
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bot_pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dashboards SET name = 'x'",
        "UPDATE settings SET value = '1'",
        "UPDATE secrets SET name = 'x'",
        "UPDATE permission_grants SET effect = 'allow'",
        "UPDATE definition_revisions SET revision = 0",
        "UPDATE guilds SET enabled = false",
        "UPDATE guilds SET time_zone = 'UTC'",
        "INSERT INTO guilds (id, enabled) VALUES (1, true)",
        "SELECT * FROM users",
        "SELECT id FROM users",
        "SELECT * FROM api_tokens",
        "SELECT * FROM revisions",
        "DELETE FROM revisions",
        "INSERT INTO revisions DEFAULT VALUES",
        "SELECT nextval('revisions_id_seq')",
        "UPDATE audit_log SET action = 'x'",
        "DELETE FROM audit_log",
        "CREATE TABLE mine (id int)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "ALTER TABLE dashboards ADD COLUMN mine text",
        "ALTER TABLE dashboard_messages ADD COLUMN mine text",
        "DROP TABLE dashboard_messages",
        "TRUNCATE dashboard_messages",
        "ALTER TABLE dashboards DISABLE TRIGGER ALL",
        "SELECT homelab_watch('dashboards', 'id')",
        "SELECT homelab_count_revision('dashboards')",
        "SELECT homelab_keep_revisions('dashboards', 'id')",
        "SELECT homelab_keep_revision('guilds', 'id', NULL, 'insert', NULL, '{\"id\": 1}')",
        "COPY settings TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
async def test_what_the_bot_may_not_do(bot_pool: asyncpg.Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bot_pool.execute(statement)


async def test_secrets_can_be_read_and_opened_with_the_key(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    box = SecretBox("A" * 43 + "=")
    await factories.secret(owner, box, "swordfish", name="discord_token")
    sealed = await bot_pool.fetchval("SELECT ciphertext FROM secrets WHERE name = 'discord_token'")
    assert box.open(sealed) == "swordfish"


async def test_guilds_can_be_added_and_seen_again(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    before = await owner.fetchval("SELECT revision FROM definition_revisions WHERE table_name = 'guilds'")
    await bot_pool.execute("INSERT INTO guilds (id, name, last_seen_at) VALUES (5, 'lab', now())")
    await bot_pool.execute("UPDATE guilds SET name = 'renamed', last_seen_at = now() WHERE id = 5")
    after = await owner.fetchval("SELECT revision FROM definition_revisions WHERE table_name = 'guilds'")
    assert after == before + 2


async def test_what_the_bot_remembers_it_may_write(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    source = await factories.data_source(owner)
    service = await factories.service(owner)
    async with bot_pool.acquire() as bot:
        await factories.message(bot, dashboard_id=board["id"])
        await factories.source_state(bot, data_source_id=source["id"])
        await factories.service_state(bot, service_id=service["id"])
        await factories.channel(bot, guild_id=board["guild_id"])
        await factories.bot_instance(bot)
        await factories.audit_entry(bot)
        await factories.action_run(bot)
        for table in RUNTIME:
            assert await bot.execute(f"DELETE FROM {table}") == "DELETE 1"
        assert await bot.fetchval("SELECT count(*) FROM audit_log") == 1


async def test_a_table_made_later_can_be_read_at_once(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await owner.execute("CREATE TABLE made_later (id int); INSERT INTO made_later VALUES (7)")
    assert await bot_pool.fetchval("SELECT id FROM made_later") == 7


async def test_a_temporary_table_cannot_take_the_place_of_the_counts(owner: asyncpg.Connection) -> None:
    """Triggers run with the owner's rights: they must write the real table whatever the session made."""
    await owner.execute("CREATE TEMPORARY TABLE definition_revisions (table_name text, revision bigint)")
    await factories.service(owner)
    assert await owner.fetchval("SELECT revision FROM public.definition_revisions WHERE table_name = 'services'") == 1
