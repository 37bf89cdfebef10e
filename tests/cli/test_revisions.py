"""`homelab revisions` as a user calls it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.cli.revisions import parse_since
from app.cli.terminal import UsageError
from tests.support import factories
from tests.support.database import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Shell:
    """Runs `homelab revisions` on the test's database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HOMELAB_", "DATABASE_"))},
            "HOMELAB_DATA_DIR": str(folder),
            "DATABASE_URL": database.owner_url,
            "HOMELAB_BOT_DATABASE_URL": database.bot_url,
            "COLUMNS": "200",
        }

    async def run(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "app", "revisions", *arguments],
            env=self._environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    async def json(self, *arguments: str) -> Any:
        result = await self.run(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def shell(database: Database, tmp_path: Path) -> Shell:
    return Shell(database, tmp_path)


async def test_a_change_by_sql_is_listed_shown_and_undone(shell: Shell, owner: asyncpg.Connection) -> None:
    await owner.execute("INSERT INTO guilds (id, name) VALUES (5, 'Lab')")
    await owner.execute("UPDATE guilds SET name = 'Renamed [bold]' WHERE id = 5")
    role = await owner.fetchval("SELECT session_user")

    listed = await shell.run("list", "--kind", "guilds", "--key", "5")
    assert listed.returncode == 0, listed.stderr
    assert f"{role} (sql)" in listed.stdout
    assert "changed guild 5 “Renamed [bold]”" in listed.stdout
    (update, _) = await shell.json("list", "--kind", "guilds")

    shown = await shell.run("show", str(update["id"]))
    assert 'name: "Lab" → "Renamed [bold]"' in shown.stdout
    assert (await shell.json("show", str(update["id"])))["differences"] == [
        {"path": "name", "change": "changed", "before": "Lab", "after": "Renamed [bold]"}
    ]

    refused = await shell.run("restore", str(update["id"]), said="n\n")
    assert refused.returncode == 1
    assert "Nothing was changed" in refused.stderr
    assert await owner.fetchval("SELECT name FROM guilds") == "Renamed [bold]"

    done = await shell.run("restore", str(update["id"]), said="y\n")
    assert done.returncode == 0, done.stderr
    assert 'name: "Renamed [bold]" → "Lab"' in done.stdout
    assert await owner.fetchval("SELECT name FROM guilds") == "Lab"
    newest = await owner.fetchrow("SELECT * FROM revisions ORDER BY id DESC LIMIT 1")
    assert newest is not None
    assert (newest["actor_type"], newest["note"]) == ("cli", f"restored from revision {update['id']}")
    audit = await owner.fetchrow("SELECT * FROM audit_log")
    assert audit is not None
    assert (audit["actor_type"], audit["actor_id"], audit["action"]) == ("cli", "", "guilds.update")


async def test_a_deleted_dashboard_comes_back(shell: Shell, owner: asyncpg.Connection) -> None:
    schema = {"type": "object"}
    await factories.component_type(owner, name="heading", kind="builtin", config_schema=schema)
    part = await factories.component(owner)
    await owner.execute("DELETE FROM dashboards")
    (deletion,) = await shell.json("list", "--kind", "dashboards", "--limit", "1")

    done = await shell.run("restore", str(deletion["id"]), "--yes")

    assert done.returncode == 0, done.stderr
    assert "is there again, with 1 that belong to it" in done.stdout
    assert await owner.fetchval("SELECT id FROM dashboard_components") == part["id"]
    assert len(await shell.json("list", "--dashboard", str(part["dashboard_id"]))) == 6


async def test_what_cannot_be_is_one_line(shell: Shell, owner: asyncpg.Connection) -> None:
    await factories.service(owner)
    made = await owner.fetchval("SELECT id FROM revisions")
    for arguments, said in (
        (("show", "999"), "There is no revision 999"),
        (("restore", str(made), "--yes"), "delete the record"),
        (("restore", str(made), "--after", "--yes"), "there is no type"),
        (("list", "--since", "yesterday"), "is no time"),
    ):
        result = await shell.run(*arguments)
        assert result.returncode == 1, result.stdout
        assert said in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:00+01:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        (None, None),
    ],
)
def test_since(text: str | None, moment: datetime | None) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "7", "d", "7y", "999999w", "0001-13-01", "-1d"])
def test_since_that_is_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        parse_since(text, NOW)
