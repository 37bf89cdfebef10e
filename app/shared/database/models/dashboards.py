"""Dashboards, their components, and the types that components can have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

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
    one_of,
)
from app.shared.database.models.guilds import GuildRow


class DashboardRow(Timestamps, Base):
    """A dashboard. `refresh_rate` and `renew_after` in seconds; a trigger raises `version` with every change."""

    __tablename__ = "dashboards"
    __table_args__ = (
        UniqueConstraint("guild_id", "name"),
        CheckConstraint("refresh_rate >= 2", name="refresh_rate_is_possible"),
        CheckConstraint("renew_after > 0", name="renew_after_is_positive"),
        not_blank("name"),
        json_object("layout"),
    )

    id: Mapped[BigId]
    guild_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("guilds.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[EmptyText]
    layout: Mapped[JsonObject]
    refresh_rate: Mapped[int] = mapped_column(server_default=text("15"))
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    renew_after: Mapped[int | None]
    enabled: Mapped[Enabled]
    version: Mapped[int] = mapped_column(server_default=text("1"), server_onupdate=FetchedValue())

    guild: Mapped[GuildRow] = relationship()
    components: Mapped[list[DashboardComponentRow]] = relationship(
        back_populates="dashboard",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="DashboardComponentRow.position, DashboardComponentRow.id",
    )


class DashboardComponentRow(Timestamps, Base):
    """One component of a dashboard; `page` NULL is shown on every page."""

    __tablename__ = "dashboard_components"
    __table_args__ = (Index(None, "dashboard_id", "position"), not_blank("type"), json_object("config"))

    id: Mapped[BigId]
    dashboard_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("dashboards.id", ondelete="CASCADE"))
    type: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"))
    page: Mapped[str | None]
    name: Mapped[EmptyText]
    config: Mapped[JsonObject]
    enabled: Mapped[Enabled]

    dashboard: Mapped[DashboardRow] = relationship(back_populates="components")


class ComponentTypeRow(Timestamps, Base):
    """What a component can be: builtin (a Python file describes itself here) or template (`definition` says all)."""

    __tablename__ = "component_types"
    __table_args__ = (one_of("kind", "builtin", "template"), json_object("config_schema"))

    name: Mapped[TypeName]
    kind: Mapped[str] = mapped_column(server_default=text("'builtin'"))
    title: Mapped[EmptyText]
    description: Mapped[EmptyText]
    config_schema: Mapped[JsonObject]
    definition: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    enabled: Mapped[Enabled]
