"""A dashboard: the definition of a live message, and the components it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.bot.domain.components.variables import Variable, Variables


@dataclass(frozen=True, slots=True)
class DashboardComponent:
    """One part of a dashboard: a row with a type, a position and a config. `page` None is shown on every page."""

    id: int
    dashboard_id: int
    type: str
    position: int = 0
    name: str = ""
    page: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A definition shown as a live message in a channel. `refresh_rate` and `renew_after` are in seconds."""

    id: int
    guild_id: int
    name: str
    description: str = ""
    layout: Mapping[str, Any] = field(default_factory=dict)
    refresh_rate: int = 15
    channel_id: int | None = None
    renew_after: int | None = None
    enabled: bool = True
    version: int = 1
    components: tuple[DashboardComponent, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def component(self, component_id: int) -> DashboardComponent | None:
        """Return the component with this id, if this dashboard has it."""
        return next((component for component in self.components if component.id == component_id), None)

    def template_values(self) -> dict[str, Any]:
        """Return what templates see as `dashboard`: its fields and every column that the model does not know."""
        return {
            **self.attributes,
            "id": self.id,
            "guild_id": self.guild_id,
            "name": self.name,
            "description": self.description,
            "refresh_rate": self.refresh_rate,
            "version": self.version,
        }


class Layout(BaseModel):
    """The `layout` of a dashboard: how its components are framed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame: bool = Field(True, description="Draw the components in one framed card")
    accent: str | None = Field(
        None,
        pattern=r"^(#[0-9A-Fa-f]{6}|status)$",
        description="Colour of the frame's edge: #RRGGBB, or “status” for the colour of the worst status shown",
    )
    footer: bool = Field(True, description="End with the time of the last change")
    max_messages: int = Field(
        5, ge=1, le=10, description="Over how many messages at most what does not fit into one is spread"
    )
    variables: Variables = Field(default_factory=list, description="Values that readers choose, or constants")

    @field_validator("variables")
    @classmethod
    def _each_name_once(cls, variables: list[Variable]) -> list[Variable]:
        names = [variable.name for variable in variables]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"has the name “{twice}” twice; rename one of them")
        return variables
