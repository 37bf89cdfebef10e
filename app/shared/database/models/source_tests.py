"""Trying out a data source."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Double, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, EmptyText, JsonObject, Moment, json_object


class SourceTestRow(Base):
    """A reading that the web admin asks for, and what came of it.

    `integration` is an integration as it is being written (config_schema and definition); without it `type` names one
    that is stored. Secrets stand in it by name only.
    """

    __tablename__ = "source_tests"
    __table_args__ = (CheckConstraint("timeout_seconds > 0", name="timeout_is_positive"), json_object("config"))

    id: Mapped[BigId]
    requested_at: Mapped[Moment]
    requested_by: Mapped[EmptyText]
    type: Mapped[str]
    config: Mapped[JsonObject]
    integration: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    timeout_seconds: Mapped[float] = mapped_column(Double, server_default=text("10"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
