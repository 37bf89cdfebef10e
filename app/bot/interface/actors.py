"""Who is behind an interaction, as the domain knows people."""

from __future__ import annotations

from typing import Any

import discord

from app.bot.domain.guilds import Actor


def member_actor(member: discord.Member | discord.User) -> Actor:
    """Return a member that an option of a command names, with the roles and rights that Discord sent along."""
    if not isinstance(member, discord.Member):
        return Actor(user_id=member.id, name=member.name, guild_id=None, channel_id=None)
    rights = member.resolved_permissions or member.guild_permissions
    return Actor(
        user_id=member.id,
        name=member.name,
        guild_id=member.guild.id,
        channel_id=None,
        role_ids=frozenset(role.id for role in member.roles),
        manages_guild=rights.manage_guild or rights.administrator,
    )


def actor_of(interaction: discord.Interaction[Any]) -> Actor:
    """Return the user with the roles and rights that Discord sent along with this very interaction."""
    user = interaction.user
    roles = frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset[int]()
    return Actor(
        user_id=user.id,
        name=user.name,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        role_ids=roles,
        manages_guild=interaction.permissions.manage_guild or interaction.permissions.administrator,
    )
