"""The memory of messages: where each dashboard is shown. Written by the bot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, JsonObject, Moment, json_object, one_of


class DashboardMessageRow(Base):
    """A placement: committed in state `posting` before its message is sent, so that a crash never posts twice.

    It outlives its dashboard on purpose, without a foreign key: a bot that was away when the dashboard was deleted
    still has to find the message and remove it. The bot then deletes the row.
    """

    __tablename__ = "dashboard_messages"
    __table_args__ = (
        UniqueConstraint("dashboard_id", "channel_id", "position"),
        json_object("variables"),
        one_of("origin", "definition", "command"),
        one_of("state", "posting", "posted", "removed", "failed"),
    )

    id: Mapped[BigId]
    dashboard_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    origin: Mapped[str] = mapped_column(server_default=text("'definition'"))
    state: Mapped[str] = mapped_column(server_default=text("'posting'"))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    content_hash: Mapped[str | None]
    page: Mapped[str | None]
    variables: Mapped[JsonObject]
    problems: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    error: Mapped[str | None]
    created_at: Mapped[Moment]
    posted_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
