"""Run a command on a host by SSH."""

from __future__ import annotations

import shlex

from pydantic import Field, field_validator

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionResult, FailedWithOutputError, action_types
from app.bot.infrastructure.actions.remote import Host


@action_types.register("ssh_command")
class SshCommand(Host, Action, title="SSH command"):
    """Runs a command on a host by SSH, and shows what it printed.

    The command is a list of arguments: a value that a user entered is always one argument, whatever is in it.
    """

    command: list[str] = Field(
        min_length=1,
        max_length=100,
        description="The program and its arguments, one in each line; ${params.name} and ${secret:name} put in values",
    )
    stdin: str = Field("", max_length=10_000, description="What the command reads from its standard input")

    @field_validator("host")
    @classmethod
    def _is_named(cls, host: str) -> str:
        if not host.strip():
            raise ValueError("is missing: name the host to log in to")
        return host.strip()

    @field_validator("command")
    @classmethod
    def _has_a_program(cls, arguments: list[str]) -> list[str]:
        if not arguments[0].strip():
            raise ValueError("begins with nothing: the first one is the program")
        return arguments

    def describe(self) -> str:
        """Name the command as one could type it, and the host."""
        return f"Runs {shlex.join(self.command)} on {self.host}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Run it; an exit status other than 0 is a failure, with what was printed."""
        resources = context.resources
        secrets = resources.secrets
        arguments = [await secrets.fill(argument) for argument in self.command]
        await context.progress(f"Logging in to {self.host}")
        outcome = await self.run_command(arguments, secrets, await secrets.fill(self.stdin))
        if outcome.status != 0:
            how = "by a signal" if outcome.status is None else f"with status {outcome.status}"
            raise FailedWithOutputError(f"The command ended {how}.", outcome.output)
        return ActionResult("The command ended well.", outcome.output)
