"""Settings that are rows: everything but the bootstrap settings of the environment."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, EmptyText, Timestamps, TypeName


class SettingRow(Timestamps, Base):
    """One setting; `value` is any JSON."""

    __tablename__ = "settings"

    key: Mapped[TypeName]
    value: Mapped[Any] = mapped_column(JSONB)
    description: Mapped[EmptyText]
