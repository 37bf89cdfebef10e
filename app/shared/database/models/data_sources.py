"""Data sources, the types they can have, and what the newest poll of each gave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import (
    Base,
    BigId,
    EmptyText,
    Enabled,
    JsonObject,
    Moment,
    Timestamps,
    TypeName,
    json_object,
    not_blank,
    one_of,
)


class DataSourceTypeRow(Timestamps, Base):
    """How a source is read: builtin (a Python file) or integration (`definition` has requests and mappings)."""

    __tablename__ = "data_source_types"
    __table_args__ = (one_of("kind", "builtin", "integration"), json_object("config_schema"))

    name: Mapped[TypeName]
    kind: Mapped[str] = mapped_column(server_default=text("'builtin'"))
    title: Mapped[EmptyText]
    description: Mapped[EmptyText]
    config_schema: Mapped[JsonObject]
    definition: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    enabled: Mapped[Enabled]


class DataSourceRow(Timestamps, Base):
    """A configured thing to read, every `interval_seconds`, for `timeout_seconds` at most."""

    __tablename__ = "data_sources"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("interval_seconds > 0", name="interval_is_positive"),
        CheckConstraint("timeout_seconds > 0", name="timeout_is_positive"),
        not_blank("name"),
        not_blank("type"),
        json_object("config"),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    title: Mapped[EmptyText]
    type: Mapped[str]
    config: Mapped[JsonObject]
    interval_seconds: Mapped[float] = mapped_column(Double, server_default=text("30"))
    timeout_seconds: Mapped[float] = mapped_column(Double, server_default=text("10"))
    enabled: Mapped[Enabled]


class SourceStateRow(Base):
    """What the newest poll of a source gave, written by the bot; `changed_at` is when the status last changed."""

    __tablename__ = "source_states"

    data_source_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("data_sources.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    status: Mapped[str]
    message: Mapped[EmptyText]
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
    polled_at: Mapped[datetime]
    duration_seconds: Mapped[float] = mapped_column(Double, server_default=text("0"))
    changed_at: Mapped[Moment]
