"""Asking for a run of an action, for every program: the row and its job come together or not at all.

Each function runs in the transaction that its caller has begun.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from app.shared.secrets import SecretBox

JOB = "action_run"
"""The entrypoint of PgQueuer that runs actions; the payload is the id of the row."""


_loading, _loaded = threading.Lock(), threading.Event()


def load_queue() -> None:
    """Import PgQueuer, in whichever thread is first; returns when it is there as a whole.

    Its modules import each other: two threads that begin with different ones would meet halves.
    """
    with _loading:
        importlib.import_module("pgqueuer")
        _loaded.set()


def seal(box: SecretBox, values: Mapping[str, Any], shown: Mapping[str, Any], reply: Any = None) -> bytes | None:
    """Return what no one may read of a run, for its column `sealed`: values that are shown otherwise than they are.

    `reply` is where the answer goes. None where there is nothing to hide.
    """
    kept: dict[str, Any] = {}
    secret = {name: value for name, value in values.items() if shown.get(name) != value}
    if secret:
        kept["values"] = secret
    if reply is not None:
        kept["reply"] = reply
    return box.seal(json.dumps(kept)) if kept else None


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_COOLDOWN = """
SELECT extract(epoch FROM max(requested_at) - now()) + $2::float8 FROM action_runs
WHERE action = $1 AND state NOT IN ('refused', 'asked') AND NOT dry_run AND id <> $3
"""
_OPEN = "SELECT count(*) FROM action_runs WHERE concurrency_key = $1 AND state IN ('queued', 'running') AND NOT dry_run"
_INSERT = """
INSERT INTO action_runs (action, guild_id, channel_id, user_id, user_name, actor, origin, parameters, sealed, dry_run,
  concurrency_key, state, result, finished_at)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8::text::jsonb, $9, $10, $11, $12, $13,
  CASE WHEN $12 = 'refused' THEN now() END)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A row to insert. `actor` and `parameters` are JSON objects, without anything secret."""

    action: str
    origin: str
    user_id: str = ""
    user_name: str = ""
    guild_id: int | None = None
    channel_id: int | None = None
    actor: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sealed: bytes | None = field(default=None, repr=False)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a run has to wait for: seconds since the last run of its action, and open runs of the same key."""

    key: str
    concurrency: int = 1
    cooldown_seconds: float = 0


async def ask_for_run(connection: asyncpg.Connection, run: NewRun, limits: RunLimits) -> tuple[int, str]:
    """Insert the run and enqueue it: its id, and why it was refused by its limits, or nothing.

    A refused one is a row as well. Limits do not concern a dry run.
    """
    refusal = "" if run.dry_run else await _refusal(connection, run.action, limits, 0)
    run_id = await insert_run(connection, run, limits.key, "refused" if refusal else "queued", refusal)
    if not refusal:
        await enqueue(connection, run_id)
    return run_id, refusal


async def confirm_run(connection: asyncpg.Connection, run_id: int, action: str, limits: RunLimits) -> str:
    """Enqueue a run that waited for its user; why its limits refused it, or nothing.

    The caller has locked the row, and knows that it is in state asked.
    """
    refusal = await _refusal(connection, action, limits, run_id)
    await connection.execute(
        "UPDATE action_runs SET state = $2, result = $3, requested_at = now(), "
        "finished_at = CASE WHEN $2 = 'refused' THEN now() END WHERE id = $1",
        run_id,
        "refused" if refusal else "queued",
        refusal,
    )
    if not refusal:
        await enqueue(connection, run_id)
    return refusal


async def insert_run(connection: asyncpg.Connection, run: NewRun, key: str, state: str, result: str = "") -> int:
    """Insert a run that is not enqueued, or not yet; its id."""
    new_id: int = await connection.fetchval(
        _INSERT,
        run.action,
        run.guild_id,
        run.channel_id,
        run.user_id,
        run.user_name,
        json.dumps(run.actor),
        run.origin,
        json.dumps(run.parameters, default=str),
        run.sealed,
        run.dry_run,
        key,
        state,
        result,
    )
    return new_id


async def enqueue(connection: asyncpg.Connection, run_id: int) -> None:
    """Have a worker run it as soon as the transaction is committed."""
    if not _loaded.is_set():
        await asyncio.to_thread(load_queue)  # half a second, which no event loop has
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
    from pgqueuer.adapters.persistence.queries import Queries

    await Queries(AsyncpgDriver(connection)).enqueue(JOB, str(run_id).encode())


async def _refusal(connection: asyncpg.Connection, action: str, limits: RunLimits, run_id: int) -> str:
    """Why a run has to wait, or nothing. Two that are asked for at once do so one after the other."""
    await connection.fetchval(_LOCK, f"homelab.action/{action}")
    await connection.fetchval(_LOCK, f"homelab.key/{limits.key}")
    left = await connection.fetchval(_COOLDOWN, action, limits.cooldown_seconds, run_id)
    if limits.cooldown_seconds and left is not None and left > 0:
        return f"It ran just now. Try again in {max(1, round(left))} s."
    running = await connection.fetchval(_OPEN, limits.key)
    if running >= limits.concurrency:
        return "It is running already. Wait until that run is over."
    return ""
