"""Runs happen once, whatever happens to the process: with a real process that is killed, on the real database."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.bot.application.actions.authorizer import Authorizer
from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.actions.requests import Actions, RunRefusedError
from app.bot.application.actions.worker import ActionWorker
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.runs import Origin, ReplyAddress
from app.bot.domain.errors import PermissionRefusedError, StorageUnavailableError
from app.bot.domain.guilds import Actor
from app.bot.infrastructure.repositories import PostgresActionRuns
from tests.bot.application.actions.action_process import KEY, Mark, Shown, make_worker, types
from tests.support import factories
from tests.support.database import Database
from tests.support.waiting import until

ADA = Actor(7, "ada", None, None, manages_guild=True)
REPLY = ReplyAddress(1, "a-token-of-an-interaction")


class Bench:
    """Asks for runs, and looks at what becomes of them."""

    def __init__(self, database: Database, owner: asyncpg.Connection, folder: Path) -> None:
        self.database = database
        self.owner = owner
        self.file = folder / "ran.txt"
        self.shown = Shown()
        self.actions: Actions
        self.definitions: DefinitionCache
        self.worker: ActionWorker
        self.runs: PostgresActionRuns

    async def start(self, type_name: str, **config: Any) -> None:
        await factories.service(self.owner, name="actions", type="actions")
        config = {"file": str(self.file), **config}
        await factories.action(self.owner, name="mark", type=type_name, config=config)
        self.worker, self.runs, self.definitions = await make_worker(self.database.bot_url, KEY, self.shown)
        catalog = ActionCatalog(types, self.definitions, ReadingStore())
        self.actions = Actions(self.definitions, catalog, Authorizer(catalog, self.definitions), self.runs)

    async def ask(self, **parameters: Any) -> int:
        call = ActionCall("mark", parameters)
        asked = await self.actions.authorize(call, ADA, Origin.BUTTON)
        return (await self.actions.request(asked, REPLY)).run_id

    async def state(self, run_id: int) -> str:
        return str(await self.owner.fetchval("SELECT state FROM action_runs WHERE id = $1", run_id))

    async def until_state(self, run_id: int, state: str) -> asyncpg.Record:
        async def reached() -> bool:
            return await self.state(run_id) == state

        await until(reached, f"the run to be {state}")
        row = await self.owner.fetchrow("SELECT * FROM action_runs WHERE id = $1", run_id)
        assert row is not None
        return row

    @property
    def lines(self) -> int:
        return len(self.file.read_text().splitlines()) if self.file.exists() else 0

    def hang(self) -> None:
        self.file.with_suffix(".hang").touch()

    def let_go(self) -> None:
        self.file.with_suffix(".hang").unlink()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
def bench(database: Database, owner: asyncpg.Connection, tmp_path: Path) -> Bench:
    return Bench(database, owner, tmp_path)


class Process:
    """A worker in a process of its own, once it is started."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.bot.application.actions.action_process", self._url, KEY]
        self._running = subprocess.Popen(command)

    def kill(self) -> None:
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()


@pytest.fixture
def process(bench: Bench) -> Iterator[Process]:
    made = Process(bench.database.bot_url)
    yield made
    made.kill()


async def test_a_queued_run_waits_for_a_worker_and_runs_once(bench: Bench) -> None:
    await bench.start("mark")
    run_id = await bench.ask()
    assert await bench.state(run_id) == "queued"
    assert bench.lines == 0

    async with bench.working():
        row = await bench.until_state(run_id, "done")
        await until(lambda: bench.shown.views, "the answer")

    assert bench.lines == 1
    assert (row["result"], row["output"], row["attempts"]) == ("Done.", "output", 1)
    assert bench.shown.views[-1][0] == REPLY
    assert REPLY.token.encode() not in (row["sealed"] or b"")


async def test_a_run_that_was_in_the_middle_of_a_killed_process_is_lost_and_not_repeated(
    bench: Bench, process: Process
) -> None:
    bench.hang()
    await bench.start("mark")
    process.start()
    run_id = await bench.ask()
    await until(lambda: bench.lines == 1, "the process to begin")
    process.kill()
    bench.let_go()

    async with bench.working():
        row = await bench.until_state(run_id, "lost")
        await until(lambda: bench.shown.views, "the answer")

    assert bench.lines == 1
    assert "look before you run it again" in row["result"]


async def test_what_is_safe_to_repeat_is_repeated(bench: Bench, process: Process) -> None:
    bench.hang()
    await bench.start("mark_again")
    process.start()
    run_id = await bench.ask()
    await until(lambda: bench.lines == 1, "the process to begin")
    process.kill()
    bench.let_go()

    async with bench.working():
        row = await bench.until_state(run_id, "done")

    assert bench.lines == 2
    assert row["attempts"] == 2


async def test_a_run_that_was_queued_when_the_process_was_killed_runs_once(bench: Bench, process: Process) -> None:
    bench.hang()
    await bench.start("mark", concurrency=50)
    process.start()
    first = await bench.ask()
    await until(lambda: bench.lines == 1, "the process to begin")
    process.kill()
    second = await bench.ask()
    bench.let_go()

    async with bench.working():
        await bench.until_state(first, "lost")
        await bench.until_state(second, "done")

    assert bench.lines == 2


async def test_a_stop_breaks_runs_off_and_says_so(bench: Bench) -> None:
    bench.hang()
    await bench.start("mark")
    run_id = await bench.ask()
    async with bench.working():
        await until(lambda: bench.lines == 1, "the run to begin")

    assert await bench.state(run_id) == "lost"
    assert len(bench.shown.views) >= 1


async def test_a_stop_leaves_what_is_safe_to_repeat_for_the_next_process(bench: Bench) -> None:
    bench.hang()
    await bench.start("mark_again")
    run_id = await bench.ask()
    async with bench.working():
        await until(lambda: bench.lines == 1, "the run to begin")
    assert await bench.state(run_id) == "queued"
    bench.let_go()

    async with bench.working():
        await bench.until_state(run_id, "done")

    assert bench.lines == 2


async def test_an_answer_that_was_not_given_is_given_after_a_restart(bench: Bench) -> None:
    await bench.start("mark")
    run_id = await bench.ask()
    await bench.owner.execute(
        "UPDATE action_runs SET state = 'done', result = 'Well.', finished_at = now() - interval '1 minute'"
    )
    await bench.owner.execute("DELETE FROM pgqueuer")

    async with bench.working():
        await until(lambda: bench.shown.views, "the answer")

        async def forgotten() -> bool:
            return await bench.owner.fetchval("SELECT sealed FROM action_runs WHERE id = $1", run_id) is None

        await until(forgotten, "the address to be forgotten")

    assert bench.lines == 0


async def test_the_permission_is_checked_again_when_it_runs(bench: Bench) -> None:
    await bench.start("mark")
    run_id = await bench.ask()
    await factories.grant(bench.owner, subject_type="user", subject_id=7, scope="mark", effect="deny")
    await bench.definitions.reload()
    with pytest.raises(PermissionRefusedError):
        await bench.ask()

    async with bench.working():
        row = await bench.until_state(run_id, "refused")

    assert bench.lines == 0
    assert "You may not do this" in row["result"]


async def test_limits_hold_for_many_who_ask_at_once(bench: Bench) -> None:
    await bench.start("mark", concurrency=3)

    asked = await asyncio.gather(*(bench.ask() for _ in range(12)), return_exceptions=True)

    assert sum(isinstance(one, RunRefusedError) for one in asked) == 9
    states = await bench.owner.fetch("SELECT state, count(*) FROM action_runs GROUP BY state ORDER BY state")
    assert [tuple(row) for row in states] == [("queued", 3), ("refused", 9)]
    assert await bench.owner.fetchval("SELECT count(*) FROM pgqueuer") == 3


async def test_the_tables_are_those_that_the_library_expects(database: Database, empty_database: Database) -> None:
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

    found = []
    for one in (database, empty_database):
        connection = await asyncpg.connect(one.owner_url)
        if one is empty_database:
            await connection.execute(QueryBuilderEnvironment().build_install_query(create_schema=False))
        columns = await connection.fetch(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_name LIKE 'pgqueuer%' ORDER BY 1, 2"
        )
        indexes = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'pgqueuer%' ORDER BY 1")
        sources = await connection.fetch("SELECT prosrc FROM pg_proc WHERE proname = 'fn_pgqueuer_changed'")
        found.append([[tuple(row) for row in rows] for rows in (columns, indexes, sources)])
        await connection.close()
    assert found[0] == found[1]


async def test_a_lost_connection_neither_ends_nor_repeats_what_runs(bench: Bench) -> None:
    bench.hang()
    await bench.start("mark")
    run_id = await bench.ask()
    working = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.lines == 1, "the run to begin")

    await bench.owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'homelab bot actions' AND datname = current_database()"
    )
    with pytest.raises(StorageUnavailableError, match="connection of the job queue was lost"):
        await working
    async with bench.working():  # as the supervisor starts it again
        await asyncio.sleep(3)  # longer than a silent worker is taken for alive
        assert await bench.state(run_id) == "running"
        bench.let_go()
        await bench.until_state(run_id, "done")

    assert bench.lines == 1


async def test_progress_is_shown_in_the_answer_and_in_the_row(bench: Bench) -> None:
    bench.hang()
    await bench.start("mark")
    run_id = await bench.ask()

    async with bench.working():

        async def said() -> bool:
            return await bench.owner.fetchval("SELECT progress FROM action_runs WHERE id = $1", run_id) == "written"

        await until(said, "the progress")
        await until(lambda: "written" in str(bench.shown.views), "the progress to be shown")
        bench.let_go()
        row = await bench.until_state(run_id, "done")
        await until(lambda: "Done." in str(bench.shown.views[-1]), "the outcome")

    assert row["progress"] == ""


async def test_only_who_was_asked_can_confirm_and_only_once(bench: Bench) -> None:
    await bench.start("mark", confirm="Sure?")
    asked = await bench.actions.ask(await bench.actions.authorize(ActionCall("mark"), ADA, Origin.BUTTON))
    mallory = Actor(8, "mallory", None, None, manages_guild=True)

    with pytest.raises(RunRefusedError):
        await bench.actions.confirm(asked.run_id, mallory, None)
    await bench.actions.decline(asked.run_id, mallory)
    assert await bench.state(asked.run_id) == "asked"
    both = await asyncio.gather(
        *(bench.actions.confirm(asked.run_id, ADA, None) for _ in range(2)), return_exceptions=True
    )

    assert sum(isinstance(one, RunRefusedError) for one in both) == 1
    assert await bench.state(asked.run_id) == "queued"
    assert await bench.owner.fetchval("SELECT count(*) FROM pgqueuer") == 1


async def test_what_nobody_confirmed_is_refused_and_what_is_old_is_deleted(bench: Bench) -> None:
    await bench.start("mark", confirm="Sure?")
    asked = await bench.actions.ask(await bench.actions.authorize(ActionCall("mark"), ADA, Origin.BUTTON))
    old = await factories.action_run(bench.owner, requested_at=datetime.now(UTC) - timedelta(days=91))
    await bench.owner.execute(
        "UPDATE action_runs SET requested_at = now() - interval '16 minutes' WHERE id = $1", asked.run_id
    )

    await bench.runs.clean_up(90)

    assert await bench.state(asked.run_id) == "refused"
    assert await bench.owner.fetchval("SELECT count(*) FROM action_runs WHERE id = $1", old["id"]) == 0


async def test_a_fault_of_a_type_is_an_outcome_and_not_the_end_of_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: object, _context: object) -> None:
        raise KeyError("hunter2")

    await bench.start("mark", concurrency=5)
    with monkeypatch.context() as patched:
        patched.setattr(Mark, "run", broken)
        first = await bench.ask()
        async with bench.working():
            row = await bench.until_state(first, "failed")
    assert "Something went wrong inside the bot" in row["result"]
    assert "hunter2" not in row["result"]

    second = await bench.ask()
    async with bench.working():
        await bench.until_state(second, "done")
