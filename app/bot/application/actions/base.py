"""What an action is to the one who runs it: a pydantic model of its config that can run.

The types are in `app/bot/infrastructure/actions/`, one file each; docs/add-an-action-type.md goes through a new one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import ConfigDict

from app.bot.domain.actions.settings import ActionSettings
from app.bot.domain.blocks.block import View
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Actor
from app.bot.domain.registry import Registry

Progress = Callable[[str], Awaitable[None]]
"""Shows the user how far a run is: plain text, a few words."""


class ActionFailedError(HomelabError):
    """The action ran and did not work; the text says why and is shown to the user."""


class FailedWithOutputError(ActionFailedError):
    """The same, where something was printed that may say more."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = output


class RunResources(Protocol):
    """What the process lends to one run: infrastructure knows what its actions need."""

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the config of an action, its references to secrets marked, before the user's values are put in."""
        ...

    def hide(self, text: str) -> str:
        """Return the text with every secret that the run has used replaced by a mark."""
        ...

    def context(self, actor: Actor, parameters: Mapping[str, Any], progress: Progress) -> Any:
        """Return the context that the actions of this process run with."""
        ...


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
        """Return the schema of the config, with what is the type's own before what every action has."""
        schema = super().model_json_schema(*arguments, **options)
        properties = schema.get("properties", {})
        common = {name: properties.pop(name) for name in ActionSettings.model_fields if name in properties}
        properties.update(common)
        return schema

    @abstractmethod
    def describe(self) -> str:
        """Say in one plain sentence what a run does: “Restarts the unit nginx.service”. Secrets stay references."""

    @abstractmethod
    async def run(self, context: Any) -> ActionResult:
        """Do it, and return what came of it; `context` is what RunResources made.

        The text of a HomelabError is shown to the user; other errors are faults. The caller limits the time, and hides
        secrets in all that is returned.
        """

    async def dry_run(self, _context: Any) -> ActionResult:
        """Say what a run would do, and do nothing. A type that can look whether it would work overrides this."""
        return ActionResult(self.describe())


action_types: Registry[type[Action]] = Registry("action type")
"""Every action type by its name; filled when `app.bot.infrastructure.actions` is imported."""
