"""Runs of actions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.bot.domain.actions.runs import (
    MAX_OUTPUT,
    TOKEN_SECONDS,
    ActionRun,
    Origin,
    ReplyAddress,
    RunOutcome,
    RunRequest,
    RunState,
)
from app.bot.domain.guilds import Actor
from app.bot.domain.repositories import ActionRunRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, named_failures, storable
from app.shared.database.action_queue import NewRun, RunLimits, ask_for_run, confirm_run, enqueue, insert_run, seal
from app.shared.secrets import SecretBox, SecretError

_MAX_RESULT = 4_000
_SETTLED = "5 seconds"
"""An answer that was not given this long after the run has been forgotten by the one who was to give it."""

_CLAIM = """
UPDATE action_runs AS run SET state = 'running', attempts = run.attempts + 1, started_at = now(), progress = ''
FROM (SELECT id, state FROM action_runs WHERE id = $1 FOR UPDATE) AS before
WHERE run.id = before.id AND before.state IN ('queued', 'running') RETURNING run.*, before.state = 'queued' AS is_new
"""
_FINISH = """
UPDATE action_runs SET state = $2, result = $3, output = $4, output_name = $5, progress = '', finished_at = now(),
  duration_seconds = extract(epoch FROM now() - started_at)
WHERE id = $1
"""
_CLEAN_UP = (
    f"UPDATE action_runs SET state = 'refused', result = 'No one confirmed it.', finished_at = now(), sealed = NULL "  # noqa: S608  # numbers of this module
    f"WHERE state = 'asked' AND requested_at < now() - interval '{TOKEN_SECONDS} seconds'",
    f"UPDATE action_runs SET sealed = NULL WHERE sealed IS NOT NULL AND finished_at IS NOT NULL "  # noqa: S608  # as above
    f"AND requested_at < now() - interval '{TOKEN_SECONDS} seconds'",
    "UPDATE action_runs SET state = 'lost', result = 'Nothing was heard of it any more.', finished_at = now() "
    "WHERE state IN ('queued', 'running') AND coalesce(started_at, requested_at) < now() - interval '3 hours'",
    "DELETE FROM pgqueuer_log WHERE created < now() - interval '1 day'",
    "DELETE FROM pgqueuer_statistics WHERE created < now() - interval '7 days'",
)


class PostgresActionRuns(ActionRunRepository):
    """Runs of actions in PostgreSQL. `box` seals the values that are secret, and the tokens of interactions."""

    def __init__(self, pool: Pool, box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    async def ask(self, request: RunRequest) -> tuple[int, str]:
        """Insert a run, and enqueue it in the same transaction unless it waits for its user or is refused."""
        run = self._new(request)
        async with self._transaction() as connection:
            if request.refusal:
                return await insert_run(connection, run, request.key, "refused", _stored(request.refusal)), ""
            if request.ask:
                return await insert_run(connection, run, request.key, "asked"), ""
            return await ask_for_run(connection, run, _limits(request))

    async def get(self, run_id: int) -> ActionRun | None:
        """Return a run, or None where it is gone."""
        records = await fetch(self._pool, "SELECT * FROM action_runs WHERE id = $1", run_id)
        return self._run(records[0]) if records else None

    async def confirm(self, run_id: int, request: RunRequest) -> str:
        """Enqueue a run that waited for its user; why its limits refused it, or nothing."""
        async with self._transaction() as connection:
            waiting = await connection.fetchval(
                "SELECT true FROM action_runs WHERE id = $1 AND state = 'asked' FOR UPDATE", run_id
            )
            if not waiting:
                return "This question was answered already."
            await connection.execute("UPDATE action_runs SET sealed = $2 WHERE id = $1", run_id, self._sealed(request))
            return await confirm_run(connection, run_id, request.action, _limits(request))

    async def decline(self, run_id: int, reason: str) -> None:
        """Refuse a run that waits for its user."""
        await execute(
            self._pool,
            "UPDATE action_runs SET state = 'refused', result = $2, finished_at = now(), sealed = NULL "
            "WHERE id = $1 AND state = 'asked'",
            run_id,
            _stored(reason),
        )

    async def claim(self, run_id: int) -> tuple[ActionRun, bool] | None:
        """Begin a run."""
        records = await fetch(self._pool, _CLAIM, run_id)
        return (self._run(records[0]), bool(records[0]["is_new"])) if records else None

    async def requeue(self, run_id: int) -> None:
        """Have a run that was begun run once more."""
        async with self._transaction() as connection:
            await connection.execute(
                "UPDATE action_runs SET state = 'queued' WHERE id = $1 AND state = 'running'", run_id
            )
            await enqueue(connection, run_id)

    async def say(self, run_id: int, progress: str) -> None:
        """Store how far a run is."""
        await execute(self._pool, "UPDATE action_runs SET progress = $2 WHERE id = $1", run_id, _stored(progress))

    async def finish(self, run_id: int, outcome: RunOutcome) -> None:
        """Store how a run ended."""
        output = storable(outcome.output[:MAX_OUTPUT])
        await execute(
            self._pool, _FINISH, run_id, outcome.state.value, _stored(outcome.result), output, outcome.output_name
        )

    async def answered(self, run_id: int) -> None:
        """Forget where the answer went."""
        await execute(self._pool, "UPDATE action_runs SET sealed = NULL WHERE id = $1", run_id)

    async def unanswered(self) -> tuple[ActionRun, ...]:
        """Return the runs whose answers are due."""
        records = await fetch(
            self._pool,
            f"SELECT * FROM action_runs WHERE sealed IS NOT NULL AND finished_at < now() - interval '{_SETTLED}' "  # noqa: S608  # a constant
            f"AND requested_at > now() - interval '{TOKEN_SECONDS} seconds' ORDER BY id LIMIT 100",
        )
        return tuple(run for run in map(self._run, records) if run.reply is not None)

    async def clean_up(self, keep_days: int) -> None:
        """Forget what is old."""
        for statement in _CLEAN_UP:
            await execute(self._pool, statement)
        await execute(
            self._pool, "DELETE FROM action_runs WHERE requested_at < now() - make_interval(days => $1)", keep_days
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        async with named_failures(), self._pool.acquire() as connection, connection.transaction():
            yield connection

    def _new(self, request: RunRequest) -> NewRun:
        actor = request.actor
        return NewRun(
            action=_stored(request.action),
            origin=request.origin.value,
            user_id=str(actor.user_id),
            user_name=_stored(actor.name),
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            actor={"roles": [str(role) for role in sorted(actor.role_ids)], "manages_guild": actor.manages_guild},
            parameters=dict(request.shown),
            sealed=self._sealed(request),
            dry_run=request.dry_run,
        )

    def _sealed(self, request: RunRequest) -> bytes | None:
        """Return what no one may read: values that are shown otherwise than they are, and the interaction's token."""
        to = request.reply
        reply = [str(to.application_id), to.token, to.message] if to is not None else None
        return seal(self._box, request.values, request.shown, reply)

    def _run(self, record: asyncpg.Record) -> ActionRun:
        kept = self._opened(record["sealed"])
        reply, actor = kept.get("reply"), record["actor"]
        return ActionRun(
            id=record["id"],
            action=record["action"],
            state=RunState(record["state"]),
            actor=Actor(
                user_id=_whole_number(record["user_id"]),
                name=record["user_name"],
                guild_id=record["guild_id"],
                channel_id=record["channel_id"],
                role_ids=frozenset(int(role) for role in actor.get("roles", ())),
                manages_guild=bool(actor.get("manages_guild")),
            ),
            origin=Origin(record["origin"]),
            values={**record["parameters"], **kept.get("values", {})},
            shown=record["parameters"],
            unreadable=bool(kept.get("unreadable")),
            dry_run=record["dry_run"],
            attempts=record["attempts"],
            result=record["result"],
            output=record["output"],
            output_name=record["output_name"] or "output.txt",
            reply=ReplyAddress(int(reply[0]), *reply[1:]) if reply else None,
            requested_at=record["requested_at"],
            started_at=record["started_at"],
        )

    def _opened(self, sealed: bytes | None) -> Mapping[str, Any]:
        """Return what was sealed; only that it cannot be opened, where the key is another one now."""
        if sealed is None:
            return {}
        try:
            opened: Mapping[str, Any] = json.loads(self._box.open(sealed))
        except SecretError:
            return {"unreadable": True}
        return opened


def _limits(request: RunRequest) -> RunLimits:
    return RunLimits(_stored(request.key), request.concurrency, request.cooldown_seconds)


def _stored(text: str) -> str:
    return (storable(text) or "")[:_MAX_RESULT]


def _whole_number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
