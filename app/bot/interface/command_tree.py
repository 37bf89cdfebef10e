"""The tree of slash commands, whose errors always become a sentence for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import discord
import structlog
from discord import app_commands

from app.bot.interface.replies import UNEXPECTED

if TYPE_CHECKING:
    from app.bot.interface.client import HomelabClient

log = structlog.get_logger(__name__)

_CHANGED = "This command changed a moment ago. Type it again; Discord shows the new one soon."


class CommandTree(app_commands.CommandTree["HomelabClient"]):
    """Counts commands, and catches what they did not turn into an answer themselves."""

    digest: str | None = None
    """The digest of the commands that Discord has, as far as this process knows."""

    async def interaction_check(self, interaction: discord.Interaction[HomelabClient], /) -> bool:
        """Count a command, and let it through; completing an option is none."""
        if interaction.type is discord.InteractionType.application_command:
            interaction.client.statistics.commands += 1
        return True

    async def on_error(
        self, interaction: discord.Interaction[HomelabClient], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer in any case; log what no one expected."""
        changed = isinstance(error, (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch))
        if not changed:
            data = cast("dict[str, Any]", interaction.data or {})
            log.error("a slash command failed", command=data.get("name"), exc_info=error)
        if interaction.type is discord.InteractionType.autocomplete:
            return  # no choices are an answer too
        await interaction.client.parts.replies.failure(interaction, _CHANGED if changed else UNEXPECTED)
