"""Who may do what, and why."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.domain.formatting.markdown import escape_markdown
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import PERMISSIONS
from app.bot.interface.actors import actor_of, member_actor
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, choices, command_types

Interaction = discord.Interaction[Any]


@command_types.register("permissions")
class PermissionsCommand(CommandType, title="Permissions"):
    """Shows who may do what, and which grant says so.

    Everybody may ask about themselves; about others, who has the permission permission.view or Manage Server.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with a user or a role, and a permission."""

        async def permissions(
            interaction: Interaction,
            user: discord.Member | None = None,
            role: discord.Role | None = None,
            permission: str | None = None,
        ) -> None:
            await context.replies.command(interaction, view(interaction, user, role, permission))

        async def view(
            interaction: Interaction, user: discord.Member | None, role: discord.Role | None, permission: str | None
        ) -> View:
            asking = actor_of(interaction)
            about, title = asking, "What you may do"
            if role is not None:
                manages = role.permissions.manage_guild or role.permissions.administrator
                about = Actor(0, role.name, interaction.guild_id, None, frozenset({role.id}), manages)
                title = f"What the role {escape_markdown(role.name)} may do"
            elif user is not None:
                about, title = member_actor(user), f"What {escape_markdown(user.display_name)} may do"
            return context.permissions.overview(asking, about, title, permission)

        async def complete(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return choices(((f"{name}: {what}", name) for name, what in PERMISSIONS.items()), typed)

        described = app_commands.describe(
            user="About this member", role="About everybody with this role", permission="Only this permission"
        )
        command = app_commands.Command[Any, ..., Any](
            name=definition.name, description=definition.description, callback=described(permissions)
        )
        command.autocomplete("permission")(complete)
        return command
