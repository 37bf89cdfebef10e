"""Services, the types they can have, and how each is doing."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
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


class ServiceTypeRow(Timestamps, Base):
    """A kind of long-running work that the bot can do."""

    __tablename__ = "service_types"
    __table_args__ = (json_object("config_schema"),)

    name: Mapped[TypeName]
    title: Mapped[EmptyText]
    description: Mapped[EmptyText]
    config_schema: Mapped[JsonObject]


class ServiceRow(Timestamps, Base):
    """A long-running part of the bot, supervised."""

    __tablename__ = "services"
    __table_args__ = (UniqueConstraint("name"), not_blank("name"), not_blank("type"), json_object("config"))

    id: Mapped[BigId]
    name: Mapped[str]
    type: Mapped[str]
    config: Mapped[JsonObject]
    enabled: Mapped[Enabled]


class ServiceStateRow(Base):
    """How a service is doing. Written by the bot."""

    __tablename__ = "service_states"
    __table_args__ = (one_of("status", "running", "stopped", "failed"),)

    service_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("services.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    status: Mapped[str]
    error: Mapped[str | None]
    changed_at: Mapped[Moment]
