"""What changed: how often each definition table did, for the bot, and every single change, for people."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.shared.database.models.base import Base, BigId, EmptyText, Moment, TypeName, one_of


class DefinitionRevisionRow(Base):
    """One row per definition table; triggers raise `revision` in the transaction that changes the table."""

    __tablename__ = "definition_revisions"

    table_name: Mapped[TypeName]
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    changed_at: Mapped[Moment]


class RevisionRow(Base):
    """One change of one row, written by triggers. Changes of one commit share `transaction_id` and `at`.

    `fields` names the columns that an update changed, also those whose values are not kept because they are secret.
    `before` and `after` hold the others; `before` is NULL for an insert, `after` for a delete.
    """

    __tablename__ = "revisions"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "transaction_id"),
        Index("ix_revisions_table_name_row_key_id", "table_name", "row_key", "id"),
        Index("ix_revisions_table_name_parent_key_id", "table_name", "parent_key", "id"),
        one_of("operation", "insert", "update", "delete"),
        one_of("actor_type", "web", "api", "cli", "bot", "catalog", "sql"),
    )

    id: Mapped[BigId]
    at: Mapped[Moment]
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    table_name: Mapped[str]
    row_key: Mapped[str]
    parent_key: Mapped[str | None]
    operation: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    actor_type: Mapped[str]
    actor_id: Mapped[EmptyText]
    actor_name: Mapped[EmptyText]
    note: Mapped[EmptyText]
    before: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    after: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
