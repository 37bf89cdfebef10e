"""What every action's config can say, and an action with all of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.actions.parameters import (
    MAX_PARAMETERS,
    PARAMS,
    ActionParameter,
    Offers,
    Value,
    masked,
    parse_values,
)
from app.bot.domain.blocks.block import ButtonStyle
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.components.placeholders import fill_known
from app.bot.domain.readings.items import plain_text


class ActionSettings(BaseModel):
    """What every action's config can say, whatever its type."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    description: str = Field("", max_length=200, description="What it does, for those who choose it from a list")
    icon: Emoji = Field("", description="An emoji, such as 🔄; empty for none")
    style: ButtonStyle = Field(
        ButtonStyle.DANGER, description="Colour of the button that confirms it: primary, secondary, success or danger"
    )
    parameters: list[ActionParameter] = Field(
        default_factory=list,
        max_length=MAX_PARAMETERS,
        description="What a user is asked for; texts of the config name a value as ${params.name}",
    )
    confirm: str = Field(
        "", max_length=300, description="A question that is asked before it runs, with ${params.name}; empty for none"
    )
    servers: list[Annotated[str, Field(pattern=r"^[0-9]{17,20}$")]] = Field(
        default_factory=list,
        max_length=100,
        description="Ids of the Discord servers where it may be run; empty: wherever the bot is",
    )
    cooldown_seconds: float = Field(
        0, ge=0, le=86_400, description="Seconds that must pass before anyone can run it again"
    )
    timeout_seconds: float = Field(60, ge=1, le=3_600, description="Seconds after which a run is broken off")
    concurrency: int = Field(1, ge=1, le=100, description="How many runs may wait or run at once")
    concurrency_key: str = Field(
        "",
        max_length=200,
        description="Runs with the same key count together, such as vm-${params.id}; empty for the action's name",
    )

    def may_run_in(self, guild_id: int | None) -> bool:
        """Whether it may be run in this server of Discord."""
        return not self.servers or str(guild_id) in self.servers

    @model_validator(mode="after")
    def _each_parameter_once(self) -> ActionSettings:
        names = [parameter.name for parameter in self.parameters]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"parameters has two of the name “{name}”; rename one of them")
        return self


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """An action with values for all of its parameters. `values` may hold secrets, `shown` does not."""

    definition: ActionDefinition
    settings: ActionSettings
    values: Mapping[str, Value | None] = field(repr=False)
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What runs are counted by."""
        key = self.settings.concurrency_key
        return plain_text(fill_values(key, self.values)) if key else f"action {self.definition.name}"

    @property
    def question(self) -> str:
        """The question to confirm, or nothing. What is secret is masked."""
        if not self.settings.confirm:
            return ""
        return plain_text(fill_values(self.settings.confirm, self.shown))


def check_values(
    definition: ActionDefinition, settings: ActionSettings, given: Mapping[str, Any], offered: Offers
) -> CheckedCall:
    """Return the action with every value checked, wherever it was asked for. Raises WrongParameterError."""
    values = parse_values(settings.parameters, given, offered)
    return CheckedCall(definition, settings, values, masked(settings.parameters, values))


def fill_values(value: Any, values: Mapping[str, Any], *, encoded: bool = False) -> Any:
    """Return a part of a config with values in the place of `${params.x}`, percent-encoded if `encoded`."""
    if encoded:
        values = {name: quote(plain_text(given), safe="") for name, given in values.items()}
    return fill_known(value, {PARAMS: values})
