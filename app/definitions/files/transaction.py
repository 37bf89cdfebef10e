"""The transaction in which documents are applied: all or nothing, and not beside anybody else's changes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions.acting import act_as
from app.definitions.actors import WebActor
from app.definitions.files.applying import Applying
from app.definitions.files.documents import Document
from app.definitions.files.plan import Plan
from app.definitions.files.problems import MeanwhileChangedError
from app.definitions.store import RecordStore

_ATTEMPTS = 5
_COLLISIONS = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: what to do about either is to do it again."""
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('homelab.apply'))")


async def apply_documents(
    sessions: async_sessionmaker[AsyncSession],
    store: RecordStore,
    actor: WebActor,
    documents: Sequence[Document],
    *,
    prune: bool = False,
    dry_run: bool = False,
    expected: Plan | None = None,
) -> Plan:
    """Apply the documents and return what changed; a dry run does all but keep it.

    Raises ConfigurationError with every problem, and MeanwhileChangedError when others change the same all the time,
    or the plan is not the `expected` one anymore. Nothing is changed then.
    """
    for _ in range(_ATTEMPTS):
        try:
            async with sessions() as database:
                await database.connection(execution_options={"isolation_level": "SERIALIZABLE"})
                await database.execute(LOCK)
                await act_as(database, actor)
                plan = await Applying(database, store, actor, prune=prune).run(documents)
                if expected is not None and plan != expected:
                    break
                if plan.changes and not dry_run:
                    await database.commit()
                return plan
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") not in _COLLISIONS:
                raise
    raise MeanwhileChangedError(
        "Somebody else changed definitions at the same time, so nothing was changed here. Look at the plan again."
    )
