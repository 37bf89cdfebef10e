"""Calls from outside, by which something says that it lives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, EmptyText, JsonObject, Moment, json_object, one_of


class PushRow(Base):
    """The address of a data source of the type push, and the newest call. Written by the web admin.

    Of the token there is only its SHA-256. `metrics` are numbers by name.
    """

    __tablename__ = "pushes"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        one_of("status", "up", "degraded", "down"),
        json_object("metrics"),
    )

    data_source_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("data_sources.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[str]
    created_at: Mapped[Moment]
    called_at: Mapped[datetime | None]
    calls: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    status: Mapped[str] = mapped_column(server_default=text("'up'"))
    message: Mapped[EmptyText]
    metrics: Mapped[JsonObject]
