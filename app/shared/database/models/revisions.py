"""How often each definition table changed: what the bot polls where a notification got lost."""

from __future__ import annotations

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, Moment, TypeName


class DefinitionRevisionRow(Base):
    """One row per definition table; triggers raise `revision` in the transaction that changes the table."""

    __tablename__ = "definition_revisions"

    table_name: Mapped[TypeName]
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    changed_at: Mapped[Moment]
