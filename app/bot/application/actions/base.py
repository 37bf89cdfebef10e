"""What an action type is: a pydantic model of its config that can run. A type is one file.

Types that need nothing but the bot itself are in `action_types/`; those that touch the network are in
`app/bot/infrastructure/actions/`. docs/add-an-action-type.md goes through a new one step by step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import ConfigDict

from app.bot.application.collecting.collector import Collector
from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.settings import ActionSettings
from app.bot.domain.blocks.block import View
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
    definitions: DefinitionCache
    readings: ReadingStore
    dashboards: Dashboards
    collector: Collector
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


class Action(ActionSettings):
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


action_types: Registry[type[Action]] = Registry("action type")
"""Every action type by its name; filled when `app.bot.infrastructure.actions` is imported."""
