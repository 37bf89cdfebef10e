"""`homelab export`, `apply` and `schema` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.provision import builtin_types
from tests.cli.test_cli import homelab
from tests.support.catalog import seed
from tests.support.database import Database

FILE = "settings:\n  - {key: theme.accent, value: '${env:ACCENT:-red}'}\n"


@pytest.fixture
async def environment(database: Database) -> dict[str, str]:
    await seed(database, builtin_types())
    return {"DATABASE_URL": database.owner_url, "HOMELAB_BOT_DATABASE_URL": database.bot_url}


def test_there_and_back(environment: dict[str, str], tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    exported = homelab("export", str(lab), folder=tmp_path, **environment)
    assert exported.returncode == 0, exported.stderr
    assert {"services.yaml", "commands.yaml", "homelab.schema.json"} <= {file.name for file in lab.iterdir()}

    (lab / "mine.yaml").write_text(FILE)
    planned = homelab("apply", str(lab), "--dry-run", folder=tmp_path, **environment)
    assert planned.returncode == 0, planned.stderr
    assert "+ setting “theme.accent”" in planned.stdout
    assert 'value: "red"' in planned.stdout
    assert "Plan: 1 to add" in planned.stdout

    applied = homelab("apply", str(lab), folder=tmp_path, **environment, ACCENT="blue")
    assert "Applied: 1 added" in applied.stdout
    (lab / "mine.yaml").write_text("settings: []\n")
    pruned = homelab("apply", str(lab), "--prune", folder=tmp_path, **environment)
    assert "- setting “theme.accent”" in pruned.stdout
    assert "Applied: 1 removed" in pruned.stdout

    older = homelab("export", str(lab), folder=tmp_path, **environment)
    assert "mine.yaml is not part of this export" in older.stderr


def test_problems_are_lines_and_the_exit_code_is_1(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("settings:\n  - {key: a, valu: ':100:'}\n  - {key: b, value: '${env:NOT_SET}'}\n")
    result = homelab("apply", str(file), folder=tmp_path, **environment)
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"✗ {file}:3: settings.1.value: the environment variable NOT_SET is not set" in result.stderr
    assert "Traceback" not in result.stderr
    file.write_text("settings:\n  - {key: a, valu: ':100:'}\n")
    result = homelab("apply", str(file), folder=tmp_path, **environment)
    assert f"{file}:2: setting “a”: valu: no such field; did you mean “value”?" in result.stderr
    assert "nothing was changed" in result.stderr


def test_an_old_schema_is_named(empty_database: Database, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": empty_database.owner_url, "HOMELAB_BOT_DATABASE_URL": empty_database.bot_url}
    result = homelab("export", folder=tmp_path, **environment)
    assert result.returncode == 1
    assert "homelab db upgrade" in result.stderr


def test_the_schema_needs_no_database(tmp_path: Path) -> None:
    result = homelab("schema", str(tmp_path / "schema.json"), folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "schema.json").read_text())["$defs"]["components.gauge"]["properties"]
    unreachable = homelab("schema", folder=tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert unreachable.returncode == 0
    assert "none of your own" in unreachable.stderr
    assert json.loads(unreachable.stdout) == json.loads((tmp_path / "schema.json").read_text())
