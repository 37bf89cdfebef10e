"""Commands, and the types they can have."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from app.shared.database.models.base import (
    Base,
    BigId,
    EmptyText,
    Enabled,
    JsonObject,
    Timestamps,
    TypeName,
    json_object,
    not_blank,
)


class CommandTypeRow(Timestamps, Base):
    """What commands can do: one Python file each, described here."""

    __tablename__ = "command_types"
    __table_args__ = (json_object("config_schema"),)

    name: Mapped[TypeName]
    title: Mapped[EmptyText]
    description: Mapped[EmptyText]
    config_schema: Mapped[JsonObject]


class CommandRow(Timestamps, Base):
    """A slash command."""

    __tablename__ = "commands"
    __table_args__ = (UniqueConstraint("name"), not_blank("name"), not_blank("type"), json_object("config"))

    id: Mapped[BigId]
    name: Mapped[str]
    type: Mapped[str]
    description: Mapped[EmptyText]
    config: Mapped[JsonObject]
    enabled: Mapped[Enabled]
