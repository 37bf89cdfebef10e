"""The memory of messages: where each dashboard is shown. Written by the bot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, JsonObject, Moment, json_object, one_of


class DashboardPlacementRow(Base):
    """A dashboard in a channel, with what users chose there.

    It outlives its dashboard on purpose, without a foreign key: a bot that was away when the dashboard was deleted
    still has to find the messages and remove them. The bot then deletes the row.
    """

    __tablename__ = "dashboard_placements"
    __table_args__ = (
        UniqueConstraint("dashboard_id", "channel_id"),
        json_object("variables"),
        one_of("origin", "definition", "command"),
    )

    id: Mapped[BigId]
    dashboard_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[str] = mapped_column(server_default=text("'definition'"))
    removed: Mapped[bool] = mapped_column(server_default=text("false"))
    page: Mapped[str | None]
    variables: Mapped[JsonObject]
    problems: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    created_at: Mapped[Moment]


class DashboardMessageRow(Base):
    """One message of a placement: committed in state `posting` before it is sent, so that a crash never posts twice."""

    __tablename__ = "dashboard_messages"
    __table_args__ = (
        UniqueConstraint("placement_id", "position"),
        one_of("state", "posting", "posted", "failed"),
    )

    id: Mapped[BigId]
    placement_id: Mapped[int] = mapped_column(ForeignKey("dashboard_placements.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default=text("'posting'"))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    content_hash: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[Moment]
    posted_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
