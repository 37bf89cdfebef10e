"""Guilds the bot serves, and the channels it saw in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, EmptyText, Enabled, Moment, Snowflake, Timestamps, one_of


class GuildRow(Timestamps, Base):
    """A guild; the bot inserts the row and keeps `name` and `last_seen_at`, the rest belongs to the admin."""

    __tablename__ = "guilds"
    __table_args__ = (one_of("temperature_unit", "celsius", "fahrenheit"),)

    id: Mapped[Snowflake]
    name: Mapped[EmptyText]
    time_zone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    locale: Mapped[str] = mapped_column(server_default=text("'en'"))
    temperature_unit: Mapped[str] = mapped_column(server_default=text("'celsius'"))
    enabled: Mapped[Enabled]
    last_seen_at: Mapped[datetime | None]


class ChannelRow(Base):
    """A text channel the bot can see, so that the admin offers channels by name. Written by the bot."""

    __tablename__ = "discord_channels"
    __table_args__ = (Index(None, "guild_id"),)

    id: Mapped[Snowflake]
    guild_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    type: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"))
    last_seen_at: Mapped[Moment]
