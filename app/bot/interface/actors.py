"""Who is behind an interaction, as the domain knows people."""

from __future__ import annotations

from typing import Any

import discord

from app.bot.domain.guilds import Actor


def actor_of(interaction: discord.Interaction[Any]) -> Actor:
    """The user with the roles and rights that Discord sent along with this very interaction."""
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
