"""Who did what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import discord
from discord import app_commands

from app.bot.domain.actions.audit_trail import AuditFilter
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, choices, command_types

Interaction = discord.Interaction[Any]
_OUTCOMES = ("done", "allowed", "failed", "refused", "timed_out", "lost")
_PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}
_MAX_PAGE = 1_000


@command_types.register("audit")
class AuditCommand(CommandType, title="Audit"):
    """Shows who did what, and what came of it.

    Runs of actions and other decisions, the newest first. It needs the permission audit.view, or Manage Server.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with filters, and a page."""

        async def audit(  # noqa: PLR0917  # its signature is what the library makes the options of
            interaction: Interaction,
            user: discord.User | None = None,
            action: str | None = None,
            outcome: str | None = None,
            since: str | None = None,
            page: app_commands.Range[int, 1, _MAX_PAGE] = 1,
        ) -> None:
            await context.replies.command(interaction, view(interaction, user, (action, outcome, since), page))

        async def view(
            interaction: Interaction, user: discord.User | None, words: tuple[str | None, ...], page: int
        ) -> View:
            action, outcome, since = words
            period = _PERIODS.get(since or "")
            wanted = AuditFilter(
                interaction.guild_id or 0,
                user.id if user is not None else None,
                action or "",
                outcome or "",
                datetime.now(UTC) - period if period is not None else None,
                page,
            )
            return await context.audit_trail.show(actor_of(interaction), wanted)

        async def complete(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
            known = context.definitions.actions.values()
            return choices([*((action.label, action.name) for action in known)], typed)

        decorated: Any = app_commands.describe(
            user="Only what this user did",
            action="Only this action",
            outcome="Only what ended so",
            since="Only what is newer",
            page="1 is the newest",
        )(audit)
        decorated = app_commands.choices(
            outcome=[app_commands.Choice(name=word.replace("_", " "), value=word) for word in _OUTCOMES],
            since=[app_commands.Choice(name=f"the last {word}", value=word) for word in _PERIODS],
        )(decorated)
        command = app_commands.Command[Any, ..., Any](
            name=definition.name, description=definition.description, callback=decorated
        )
        command.autocomplete("action")(complete)
        return command
