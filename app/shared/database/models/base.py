"""What every table has in common: names of constraints, identity keys, timestamps."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, FetchedValue, Identity, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that migrations can rely on, whatever created it."""

BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
"""A key that the database hands out."""
Snowflake = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
"""A key that Discord hands out."""
TypeName = Annotated[str, mapped_column(Text, primary_key=True)]
"""The name of a type: text, so that a new type needs no migration."""
EmptyText = Annotated[str, mapped_column(Text, server_default=text("''"))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
JsonObject = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'::jsonb"))]
Enabled = Annotated[bool, mapped_column(server_default=text("true"))]


class Base(DeclarativeBase):
    """Base of every model; its metadata is what migrations are compared with."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012  # values that triggers set come back with the statement
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's own declaration style
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


class Timestamps:
    """Columns of every definition table; a trigger keeps `updated_at`."""

    created_at: Mapped[Moment] = mapped_column(sort_order=1000)
    updated_at: Mapped[Moment] = mapped_column(server_onupdate=FetchedValue(), sort_order=1001)


def json_object(column: str) -> CheckConstraint:
    """Return a check that a JSONB column holds an object, so that readers never meet a list or a number there."""
    return CheckConstraint(f"jsonb_typeof({column}) = 'object'", name=f"{column}_is_object")


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return a check for a closed set of words. Types are open sets: they get none."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_is_known")


def not_blank(column: str) -> CheckConstraint:
    """Return a check that a name is there."""
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_is_not_blank")
