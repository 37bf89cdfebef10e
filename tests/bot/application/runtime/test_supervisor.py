"""The supervisor, following rows of a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import asyncpg
import pytest
from pydantic import BaseModel, ConfigDict
from structlog.testing import capture_logs

from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories
from app.bot.application.runtime.service import Service, ServiceOffError
from app.bot.application.runtime.supervisor import Pace, Supervisor
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
from tests.support.waiting import until


class TickConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: int = 1


class Ticker(Service[TickConfig]):
    """A service that says when it runs, and fails when it is told to."""

    name: ClassVar[str] = "ticker"
    config_model = TickConfig

    def __init__(self) -> None:
        self.configs: list[TickConfig] = []
        self.starts = 0
        self.running = False
        self.broken = False
        self.fail = asyncio.Event()

    def configure(self, config: TickConfig) -> None:
        assert not self.running
        self.configs.append(config)

    async def run(self) -> None:
        assert not self.running
        self.starts += 1
        if self.broken:
            raise ValueError("the password is hunter2")
        self.running = True
        try:
            await self.fail.wait()
            raise ValueError("the password is hunter2")
        finally:
            self.running = False


class Lab:
    """A supervisor with one service, `ticker`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.ticker = Ticker()
        self.definitions = DefinitionCache(
            DefinitionRepositories(
                dashboards=PostgresDashboards(pool),
                sources=PostgresDataSources(pool),
                services=PostgresServices(pool),
                commands=postgres_commands(pool),
                actions=postgres_actions(pool),
                grants=postgres_grants(pool),
                settings=PostgresSettings(pool),
                guilds=PostgresGuilds(pool),
                component_types=postgres_component_types(pool),
                source_types=postgres_source_types(pool),
            )
        )
        self.supervisor = Supervisor(
            self.definitions, [self.ticker], PostgresServices(pool), Pace(first=0.01, last=0.02, steady=0.05)
        )
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.definitions.reload()
        self.task = asyncio.create_task(self.supervisor.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})


@pytest.fixture
async def lab(bot_pool: asyncpg.Pool) -> AsyncIterator[Lab]:
    lab = Lab(bot_pool)
    yield lab
    await lab.stop()


async def status_of(owner: asyncpg.Connection, service_id: int) -> str | None:
    status: str | None = await owner.fetchval("SELECT status FROM service_states WHERE service_id = $1", service_id)
    return status


async def reload(lab: Lab) -> None:
    await lab.definitions.apply(Change("services", None))


async def test_a_row_configures_its_service_and_runs_it(lab: Lab, owner: asyncpg.Connection) -> None:
    row = await factories.service(owner, type="ticker", config={"step": 3})
    await lab.start()

    await until(lambda: lab.ticker.running, "the service to run")
    assert lab.ticker.configs == [TickConfig(step=3)]
    lab.ticker.require_running()

    async def saved() -> bool:
        return await status_of(owner, row["id"]) == "running"

    await until(saved, "its status")


async def test_rows_are_followed_while_it_runs(lab: Lab, owner: asyncpg.Connection) -> None:
    row = await factories.service(owner, type="ticker")
    await lab.start()
    await until(lambda: lab.ticker.running, "the service to run")

    await owner.execute("UPDATE services SET config = $2 WHERE id = $1", row["id"], {"step": 2})
    await reload(lab)
    await until(lambda: lab.ticker.starts == 2 and lab.ticker.running, "the service with its new config")
    assert lab.ticker.configs[1:] == [TickConfig(step=2)]

    await owner.execute("UPDATE services SET name = 'another name' WHERE id = $1", row["id"])
    await reload(lab)
    await owner.execute("UPDATE services SET enabled = false WHERE id = $1", row["id"])
    await reload(lab)
    await until(lambda: not lab.ticker.running, "the service to stop")
    assert lab.ticker.starts == 2, "a new name is no reason to start again"
    with pytest.raises(ServiceOffError, match="ticker is not running"):
        lab.ticker.require_running()

    async def stopped() -> bool:
        return await status_of(owner, row["id"]) == "stopped"

    await until(stopped, "its status")


async def test_a_failing_service_is_restarted_with_one_line_down_and_one_up(
    lab: Lab, owner: asyncpg.Connection
) -> None:
    row = await factories.service(owner, name="tick", type="ticker")
    with capture_logs() as lines:
        await lab.start()
        await until(lambda: lab.ticker.running, "the service to run")
        ticker = lab.ticker
        ticker.broken = True
        ticker.fail.set()
        await until(lambda: ticker.starts > 4, "several restarts")

        async def failed() -> bool:
            return await status_of(owner, row["id"]) == "failed"

        await until(failed, "its status")
        ticker.broken = False
        ticker.fail.clear()
        await until(lambda: [line for line in lines if line["event"] == "service is up again"], "the line up")
        assert [line["log_level"] for line in lines if line.get("service") == "tick"] == ["error", "info"]

        async def running() -> bool:
            return await status_of(owner, row["id"]) == "running"

        await until(running, "its status again")
    error = await owner.fetchval("SELECT error FROM service_states")
    assert error is None
    assert "hunter2" not in str(lines), "an unexpected exception's text may hold a secret"


async def test_what_cannot_run_says_why_and_waits_for_a_better_definition(lab: Lab, owner: asyncpg.Connection) -> None:
    wrong = await factories.service(owner, type="ticker", config={"stepp": 1})
    unknown = await factories.service(owner, type="teleporter")
    await lab.start()

    async def errors() -> dict[int, str] | None:
        rows = await owner.fetch("SELECT service_id, error FROM service_states WHERE status = 'failed'")
        return {row["service_id"]: row["error"] for row in rows} if len(rows) == 2 else None

    told = await until(errors, "both reasons")
    assert told is not None
    assert "stepp: no such setting" in told[wrong["id"]]
    assert "Unknown service type “teleporter”" in told[unknown["id"]]

    await owner.execute("UPDATE services SET config = '{}' WHERE id = $1", wrong["id"])
    await reload(lab)
    await until(lambda: lab.ticker.running, "the mended service")


async def test_a_second_service_of_a_type_waits_until_the_first_is_gone(lab: Lab, owner: asyncpg.Connection) -> None:
    first = await factories.service(owner, type="ticker")
    second = await factories.service(owner, type="ticker", config={"step": 2})
    await lab.start()

    async def refused() -> bool:
        return await status_of(owner, second["id"]) == "failed"

    await until(refused, "the second to be refused")
    assert lab.ticker.configs == [TickConfig()]

    await owner.execute("DELETE FROM services WHERE id = $1", first["id"])
    await reload(lab)
    await until(lambda: lab.ticker.starts == 2 and lab.ticker.running, "the second to take over")
    assert lab.ticker.configs[1:] == [TickConfig(step=2)]


async def test_everything_stops_with_the_supervisor(lab: Lab, owner: asyncpg.Connection) -> None:
    row = await factories.service(owner, type="ticker")
    await lab.start()
    await until(lambda: lab.ticker.running, "the service to run")

    await lab.stop()

    assert not lab.ticker.running
    assert await status_of(owner, row["id"]) == "stopped"


async def test_a_status_that_cannot_be_stored_stops_no_service(lab: Lab, owner: asyncpg.Connection) -> None:
    await owner.execute("ALTER TABLE service_states DROP COLUMN error")
    await factories.service(owner, name="clock", type="ticker")
    with capture_logs() as lines:
        await lab.start()
        await until(lambda: lines and lab.ticker.running, "the service to run, and a line in the log")
        second = await factories.service(owner, name="watch", type="metronome")
        await reload(lab)
        await until(lambda: any(line["event"] == "service cannot run" for line in lines), "the second to be looked at")

    assert second["id"] in lab.definitions.services
    assert lab.ticker.running
    assert len([line for line in lines if line["event"].startswith("the status of services cannot be stored")]) == 1
