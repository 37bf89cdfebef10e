"""Who did what to what, and how it ended."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, EmptyText, JsonObject, Moment, one_of


class AuditEntryRow(Base):
    """One line of the audit log; the bot may add lines and read them, not alter them."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "at"),
        one_of("actor_type", "discord", "web", "api", "cli", "bot"),
        one_of("outcome", "allowed", "refused", "failed", "done"),
    )

    id: Mapped[BigId]
    at: Mapped[Moment]
    actor_type: Mapped[str]
    actor_id: Mapped[EmptyText]
    actor_name: Mapped[EmptyText]
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str]
    target: Mapped[EmptyText]
    outcome: Mapped[str]
    detail: Mapped[JsonObject]
