from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.support import factories
from tests.support.migrations import add_later_migration
from tests.web.browser import Browser


async def test_all_is_well(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.bot_instance(owner, last_seen_at=datetime.now(UTC) - timedelta(seconds=20))
    answer = await visitor.get("/healthz")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["database"], found["schema"]) == ("ok", "ok", "current")
    assert found["bot"]["status"] == "ok"
    assert found["bot"]["last_seen_seconds_ago"] >= 20
    assert "set-cookie" not in answer.headers


async def test_a_bot_that_is_away_is_told_but_is_not_this_programs_health(
    visitor: Browser, owner: asyncpg.Connection
) -> None:
    never = await visitor.get("/healthz")
    assert (never.status_code, never.json()["bot"]["status"]) == (200, "never seen")
    await factories.bot_instance(owner, last_seen_at=datetime.now(UTC) - timedelta(days=1))
    late = await visitor.get("/healthz")
    assert (late.status_code, late.json()["bot"]["status"]) == (200, "not seen lately")


async def test_a_schema_that_does_not_fit_is_no_health(
    visitor: Browser, owner: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_later_migration(tmp_path, monkeypatch)
    old = await visitor.get("/healthz")
    assert old.status_code == 503
    assert old.json()["schema"] == "out of date, run: homelab db upgrade"
    await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    assert (await visitor.get("/healthz")).json()["schema"] == "newer than this program"
    await owner.execute("DROP TABLE alembic_version")
    assert (await visitor.get("/healthz")).status_code == 503
