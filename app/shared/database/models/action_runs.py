"""Runs of actions: who asked for what, and what came of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, EmptyText, JsonObject, Moment, json_object, one_of


class ActionRunRow(Base):
    """A run, allowed or refused. `parameters` are masked.

    `sealed` has what no one may read while the run needs it: the values of secret parameters, and the token of the
    interaction whose answer shows how it goes. `actor` keeps the roles that the user had when it was asked for.
    """

    __tablename__ = "action_runs"
    __table_args__ = (
        Index(None, "requested_at"),
        Index(None, "action", "requested_at"),
        Index("ix_action_runs_open", "concurrency_key", postgresql_where=text("state IN ('queued', 'running')")),
        one_of("origin", "button", "select", "command", "web"),
        one_of("state", "asked", "queued", "running", "done", "failed", "refused", "timed_out", "lost"),
        json_object("parameters"),
        json_object("actor"),
    )

    id: Mapped[BigId]
    action: Mapped[str]
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    user_id: Mapped[EmptyText]
    user_name: Mapped[EmptyText]
    actor: Mapped[JsonObject]
    origin: Mapped[str]
    parameters: Mapped[JsonObject]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    concurrency_key: Mapped[EmptyText]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    progress: Mapped[EmptyText]
    result: Mapped[EmptyText]
    output: Mapped[EmptyText]
    output_name: Mapped[EmptyText]
    requested_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    duration_seconds: Mapped[float | None] = mapped_column(Float)
