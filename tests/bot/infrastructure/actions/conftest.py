from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.guilds import Actor
from app.bot.infrastructure.actions import action_types, lend
from app.bot.infrastructure.actions.base import ActionResult
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.secrets import UnknownSecretError
from app.bot.infrastructure.sources import Resources


class Secrets:
    """Secrets in memory."""

    def __init__(self) -> None:
        self.values = {"token": "s3cr3t-t0ken", "password": "pass wörd"}

    async def get(self, name: str) -> str:
        if name not in self.values:
            raise UnknownSecretError(f"There is no secret “{name}”. Enter it in the web admin.")
        return self.values[name]


async def no_progress(_text: str) -> None:
    """Show it to no one."""


Run = Callable[..., Awaitable[ActionResult]]


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Runs an action of a type with this config once, as the bot does; secrets are hidden in what comes back."""
    async with make_session() as session:
        resources = Resources(session, Secrets(), Statistics())

        async def run_once(type_name: str, **config: Any) -> ActionResult:
            lent = lend(resources, cast("Any", None))
            context = lent.context(Actor(7, "ada", 1, 2), {}, no_progress)
            action = action_types[type_name].model_validate(lent.prepare(config))
            assert "s3cr3t" not in action.describe()
            result = await action.run(context)
            return ActionResult(lent.hide(result.text), lent.hide(result.output), result.output_name)

        yield run_once
