"""Who may do what from Discord."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, Timestamps, not_blank, one_of


class PermissionGrantRow(Timestamps, Base):
    """One grant or denial; `guild_id` NULL holds everywhere, `scope` is a name or * for all."""

    __tablename__ = "permission_grants"
    __table_args__ = (
        one_of("subject_type", "everyone", "role", "user"),
        one_of("effect", "allow", "deny"),
        CheckConstraint("(subject_type = 'everyone') = (subject_id IS NULL)", name="subject_id_fits_subject_type"),
        not_blank("permission"),
    )

    id: Mapped[BigId]
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    subject_type: Mapped[str]
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    permission: Mapped[str]
    scope: Mapped[str] = mapped_column(server_default=text("'*'"))
    effect: Mapped[str] = mapped_column(server_default=text("'allow'"))
