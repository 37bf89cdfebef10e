from __future__ import annotations

import asyncpg
import pytest

from app.bot.domain.errors import MissingColumnError, MissingTableError
from app.bot.infrastructure.repositories import PostgresDashboards
from tests.support import factories


async def test_dashboards_come_with_their_components_by_position(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    row = await factories.dashboard(owner, name="lab", channel_id=7, renew_after=60, layout={"frame": False})
    ids = [
        (await factories.component(owner, dashboard_id=row["id"], position=position, page="two"))["id"]
        for position in (2, 1, 1)
    ]
    other = await factories.dashboard(owner, enabled=False)

    boards = await PostgresDashboards(bot_pool).all()

    assert [board.id for board in boards] == [row["id"], other["id"]]
    board = boards[0]
    assert [part.id for part in board.components] == [ids[1], ids[2], ids[0]]
    assert board.components[0].config == {"text": "Hello"}
    assert board.components[0].page == "two"
    assert (board.name, board.channel_id, board.renew_after, board.layout) == ("lab", 7, 60, {"frame": False})
    assert board.refresh_rate == 15
    assert not boards[1].enabled
    assert await PostgresDashboards(bot_pool).get(row["id"]) == board


async def test_a_dashboard_that_is_gone_is_none(bot_pool: asyncpg.Pool) -> None:
    assert await PostgresDashboards(bot_pool).get(1) is None


async def test_unknown_columns_become_attributes_at_once(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresDashboards(bot_pool)
    part = await factories.component(owner)
    assert "team" not in (await repository.all())[0].attributes
    await owner.execute("ALTER TABLE dashboards ADD COLUMN team text DEFAULT 'night'")
    await owner.execute("ALTER TABLE dashboard_components ADD COLUMN notes jsonb DEFAULT '[1]'")
    board = await repository.get(part["dashboard_id"])
    assert board is not None
    assert board.attributes["team"] == "night"
    assert board.template_values()["team"] == "night"
    assert board.components[0].attributes["notes"] == [1]


async def test_a_dropped_column_falls_back_to_the_default(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresDashboards(bot_pool)
    await factories.component(owner)
    await repository.all()
    await owner.execute("ALTER TABLE dashboards DROP COLUMN refresh_rate, DROP COLUMN layout")
    await owner.execute("ALTER TABLE dashboard_components DROP COLUMN page, DROP COLUMN position")
    (board,) = await repository.all()
    assert (board.refresh_rate, dict(board.layout)) == (15, {})
    assert board.components[0].page is None


async def test_a_column_it_cannot_do_without_is_named(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresDashboards(bot_pool)
    await factories.component(owner)
    await repository.all()
    await owner.execute("ALTER TABLE dashboards DROP COLUMN name")
    with pytest.raises(MissingColumnError, match="name"):
        await repository.all()


async def test_a_missing_table_is_named(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await owner.execute("DROP TABLE dashboard_components")
    with pytest.raises(MissingTableError, match="dashboard_components"):
        await PostgresDashboards(bot_pool).all()
