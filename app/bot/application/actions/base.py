"""What an action type is: a pydantic model of its config that can run. A type is one file.

Types that need nothing but the bot itself are in `action_types/`; those that touch the network are in
`app/bot/infrastructure/actions/`. docs/actions.md goes through a new one step by step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import Definitions
from app.bot.application.runtime.supervisor import Supervisor
from app.bot.domain.actions.parameters import MAX_PARAMETERS, ActionParameter
from app.bot.domain.blocks.block import ButtonStyle, View
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Actor
from app.bot.domain.readings.source import DataSource
from app.bot.domain.registry import Registry


class ActionFailedError(HomelabError):
    """The action ran and did not work; the text says why and is shown to the user."""


class FailedWithOutputError(ActionFailedError):
    """The same, where something was printed that may say more."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = output


class RunResources(Protocol):
    """What the process lends to one run. Infrastructure's ActionResources is the one there is."""

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The config of an action before the user's values are filled in: its references to secrets are marked."""
        ...

    def hide(self, text: str) -> str:
        """The text with every secret that the run has used replaced by a mark."""
        ...


class NoResources:
    """For what runs without a network; fulfils RunResources."""

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The config: nobody fills secrets in."""
        return config

    def hide(self, text: str) -> str:
        """The text: no secret was used."""
        return text


async def no_progress(_text: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What a running action may use.

    `parameters` are the user's values, checked against the action's parameters; those that the config names as
    `${params.x}` stand in it already. `progress` shows the user how far it is: plain text, a few words.
    """

    actor: Actor
    definitions: Definitions
    readings: ReadingStore
    dashboards: Dashboards
    services: Supervisor
    resources: RunResources = field(default_factory=NoResources)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[str], Awaitable[None]] = no_progress

    def source(self, name: str) -> DataSource:
        """The data source that an action works with, such as an engine. Raises ActionFailedError."""
        source = self.definitions.sources.get(name)
        if source is None or not source.enabled:
            raise ActionFailedError(f"There is no data source “{name}”, or it is switched off.")
        return source


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came of a run.

    `text` is plain, one or two sentences. `output` is what was printed or answered: shown as a code block when it is
    short, else attached as the file `output_name`. `view` is shown in place of the text to a user who waits for it;
    the row of the run keeps the text. Secrets are hidden by whoever started the run.
    """

    text: str
    output: str = ""
    output_name: str = "output.txt"
    view: View | None = None


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


class ActionType(ActionSettings):
    """Base of every action type. Fields are the config; the class docstring is what the admin shows.

    Texts of the config may hold `${params.x}`: the values of the user are filled in before it is parsed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    repeatable: ClassVar[bool] = False
    """Whether a run that a crash interrupted may simply be run again, as waking a machine may."""

    encoded_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold an address: values of the user are percent-encoded there."""

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The schema of the config, with what is the type's own before what every action has."""
        schema = super().model_json_schema(*arguments, **options)
        properties = schema.get("properties", {})
        common = {name: properties.pop(name) for name in ActionSettings.model_fields if name in properties}
        properties.update(common)
        return schema

    @abstractmethod
    def describe(self) -> str:
        """What a run does, as one plain sentence: “Restarts the unit nginx.service”. References to secrets stay."""

    @abstractmethod
    async def run(self, context: ActionContext) -> ActionResult:
        """Do it, and say what came of it. A HomelabError's text is shown to the user; other errors are faults."""

    async def dry_run(self, _context: ActionContext) -> ActionResult:
        """Say what a run would do, and do nothing. A type that can look whether it would work overrides this."""
        return ActionResult(self.describe())


action_types: Registry[type[ActionType]] = Registry("action type")
"""Every action type by its name; filled when `app.bot.infrastructure.actions` is imported."""
