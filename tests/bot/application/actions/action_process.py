"""A bot process that runs actions, to be killed in the middle: `python -m` this module, with the database's URL.

It talks to no Discord. Its one action writes a line into a file and then, if it is told so, hangs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from cryptography.fernet import Fernet

from app.bot.application.actions.answers import Attachment
from app.bot.application.actions.authorizer import Authorizer
from app.bot.application.actions.base import Action, ActionResult, Progress, RunResources
from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.actions.running import RunAction
from app.bot.application.actions.worker import ActionWorker, ActionWorkerConfig
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.compose import definition_repositories
from app.bot.domain.actions.runs import ReplyAddress
from app.bot.domain.blocks.block import View
from app.bot.domain.guilds import Actor
from app.bot.domain.registry import Registry
from app.bot.infrastructure.job_queue import PgQueuerJobs
from app.bot.infrastructure.repositories import PostgresActionRuns
from app.shared.database.core.connection import connect
from app.shared.database.core.pool import create_pool
from app.shared.secrets import SecretBox

KEY = Fernet.generate_key().decode()
types: Registry[type[Action]] = Registry("action type")


@types.register("mark")
class Mark(Action):
    """Writes a line, and hangs while the file beside it is there."""

    file: str
    text: str = "ran"

    def describe(self) -> str:
        return f"Writes to {self.file}."

    async def run(self, context: Any) -> ActionResult:
        path = Path(self.file)
        await asyncio.to_thread(_append, path, self.text)
        await context.progress("written")
        while path.with_suffix(".hang").exists():  # noqa: ASYNC110  # another process takes it away
            await asyncio.sleep(0.02)
        return ActionResult("Done.", "output")


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(f"{text}\n")


@types.register("mark_again")
class MarkAgain(Mark):
    """The same, and safe to repeat."""

    repeatable: ClassVar[bool] = True


class NoResources(RunResources):
    """For what needs nothing but to say how far it is: there are no secrets."""

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        return config

    def hide(self, text: str) -> str:
        return text

    def context(self, actor: Actor, parameters: Mapping[str, Any], progress: Progress) -> Any:
        return SimpleNamespace(progress=progress)


class Shown:
    """What a user would see."""

    def __init__(self) -> None:
        self.views: list[tuple[ReplyAddress, View]] = []

    async def show(self, reply: ReplyAddress, view: View, attachment: Attachment | None = None) -> bool:
        self.views.append((reply, view))
        return True


async def make_worker(url: str, key: str, messages: Shown) -> tuple[ActionWorker, PostgresActionRuns, DefinitionCache]:
    pool = await create_pool(url, max_size=4)
    definitions = DefinitionCache(definition_repositories(pool))
    await definitions.reload()
    readings = ReadingStore()
    runs = PostgresActionRuns(pool, SecretBox(key))
    catalog = ActionCatalog(types, definitions, readings)
    run_action = RunAction(
        types,
        catalog,
        Authorizer(catalog, definitions),
        runs,
        messages=messages,
        definitions=definitions,
        resources=NoResources,
    )
    config = ActionWorkerConfig(lost_after_seconds=2)
    queue = PgQueuerJobs(lambda: connect(url, "homelab bot actions"))
    return ActionWorker(queue, runs, catalog, run_action, messages, config=config), runs, definitions


async def main(arguments: Sequence[str]) -> None:
    worker, _, _ = await make_worker(arguments[0], arguments[1], Shown())
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
