"""Running bot processes, as the admin and `homelab doctor` see them. Written by the bot."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Double, Integer, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, JsonObject, Moment


class BotInstanceRow(Base):
    """One process; `command_hash` is the digest of the commands it last synced."""

    __tablename__ = "bot_instances"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    application_id: Mapped[int | None] = mapped_column(BigInteger)
    hostname: Mapped[str]
    pid: Mapped[int]
    version: Mapped[str]
    started_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    latency_seconds: Mapped[float | None] = mapped_column(Double)
    guild_count: Mapped[int] = mapped_column(server_default=text("0"))
    command_hash: Mapped[str | None]
    shard_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'::integer[]"))
    metrics: Mapped[JsonObject]
