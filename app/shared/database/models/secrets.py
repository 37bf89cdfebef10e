"""Secrets, encrypted at rest."""

from __future__ import annotations

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, Timestamps, not_blank


class SecretRow(Timestamps, Base):
    """A secret that configs name as `${secret:name}`; the key is outside the database (app.shared.secrets)."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("name"), not_blank("name"))

    id: Mapped[BigId]
    name: Mapped[str]
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
