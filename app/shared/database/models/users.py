"""People who use the web admin, and their API tokens. The bot cannot read these tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.shared.database.models.base import Base, BigId, Enabled, Timestamps, not_blank, one_of


class UserRow(Timestamps, Base):
    """A person; raising `session_epoch` ends all of their sessions."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username"),
        CheckConstraint("username = lower(username)", name="username_is_lower"),
        one_of("role", "viewer", "editor", "admin"),
        not_blank("username"),
    )

    id: Mapped[BigId]
    username: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=text("'viewer'"))
    enabled: Mapped[Enabled]
    last_login_at: Mapped[datetime | None]
    session_epoch: Mapped[int] = mapped_column(server_default=text("0"))


class ApiTokenRow(Timestamps, Base):
    """An API token of a user; only its SHA-256 (hexadecimal) is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "user_id"),
        one_of("role", "viewer", "editor", "admin"),
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    token_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=text("'viewer'"))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    user: Mapped[UserRow] = relationship()
