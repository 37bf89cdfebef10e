"""Dashboards: what is shown, where, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.bot.domain.dashboards.dashboard import Layout
from app.definitions.errors import FieldError
from app.definitions.inputs import MAX_INTEGER, Config, Input, LongText, Name, SnowflakeId
from app.definitions.kinds.base import Checking, FileSection, RecordKind, register
from app.definitions.kinds.typed import model_errors
from app.shared.database.models import ChannelRow, DashboardRow, GuildRow


class DashboardInput(Input):
    """A dashboard: what is shown, where, and how often it is compared with the readings."""

    guild_id: SnowflakeId = Field(description="The Discord server it belongs to")
    name: Name = Field(description="Unique in its server")
    description: LongText = Field("", description="What it is for")
    layout: Config = Field(default_factory=dict, description="Frame, accent colour and footer")
    refresh_rate: int = Field(15, ge=2, le=86_400, description="Seconds between two comparisons with the readings")
    channel_id: SnowflakeId | None = Field(None, description="The channel it is posted to; empty for none")
    renew_after: int | None = Field(
        None, ge=60, le=MAX_INTEGER, description="Seconds after which it is posted again, so that it stays fast"
    )
    enabled: bool = True


class Dashboards(RecordKind):
    """Dashboards belong to a server, and have components."""

    name = "dashboards"
    singular = "dashboard"
    row = DashboardRow
    shape = DashboardInput
    guild = "guild_id"
    part_of = "guilds"
    section = FileSection(
        "dashboards",
        order=9,
        identity=("guild_id", "name"),
        renamed={"guild_id": "guild", "channel_id": "channel"},
    )

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Refuse servers that are not there, channels of other servers, and layouts that are none."""
        errors = []
        if await checking.database.get(GuildRow, values["guild_id"]) is None:
            errors.append(FieldError("guild_id", "there is no such server; the bot adds a server when it joins it"))
        if values["channel_id"] is not None:
            channel = await checking.database.get(ChannelRow, values["channel_id"])
            if channel is not None and channel.guild_id != values["guild_id"]:
                errors.append(FieldError("channel_id", f"#{channel.name} belongs to another server"))
        return errors + model_errors(Layout, values["layout"], "layout")

    def page(self, key: Any) -> str:
        """Return the address of the preview."""
        return f"/dashboards/{key}"

    def history(self, key: Any) -> dict[str, Any]:
        """Return the filter for the dashboard with its components."""
        return {"dashboard": key}


DASHBOARDS = register(Dashboards)
