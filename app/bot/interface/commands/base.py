"""What a command type is: a pydantic model of its config that builds the slash command.

A new type is one file in this package, imported in its `__init__`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import discord
from discord import app_commands
from pydantic import BaseModel, ConfigDict

from app.bot.application.actions.requests import Actions
from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.queries.audit_trail import AuditTrail
from app.bot.application.queries.overview import BotCondition
from app.bot.application.queries.permissions import Permissions
from app.bot.application.queries.sources import Sources
from app.bot.application.runtime.audit import Audit
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.command_options import matching_choices
from app.bot.domain.registry import Registry
from app.bot.interface.action_replies import ActionReplies
from app.bot.interface.actors import actor_of
from app.bot.interface.replies import Replies

MAX_CHOICES = 25
"""Choices of one autocomplete answer, Discord's limit."""
MAX_CHOICE_CHARACTERS = 100

AppCommand: TypeAlias = app_commands.Command[Any, ..., Any] | app_commands.Group


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What slash commands may use. `condition` gives how the bot itself is doing now.
    `action_replies` runs actions for those who ask.
    """

    dashboards: Dashboards
    sources: Sources
    condition: Callable[[], BotCondition]
    replies: Replies
    actions: Actions
    action_replies: ActionReplies
    permissions: Permissions
    audit: Audit
    audit_trail: AuditTrail
    definitions: DefinitionCache


class CommandType(BaseModel):
    """Base of every command type. Fields are the config; the class docstring is what the admin shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return the slash command of a row; name and description are checked already."""


command_types: Registry[type[CommandType]] = Registry("command type")
"""Every command type by its name; filled when `app.bot.interface.commands` is imported."""


def dashboard_choices(
    interaction: discord.Interaction[Any], context: CommandContext, typed: str
) -> list[app_commands.Choice[str]]:
    """Return the dashboards that the user may look at and that match what was typed."""
    boards = context.dashboards.visible_to(actor_of(interaction))
    return choices(((board.name, board.name) for board in boards), typed)


def source_choices(
    interaction: discord.Interaction[Any], context: CommandContext, typed: str
) -> list[app_commands.Choice[str]]:
    """Return the data sources that the user may look at and that match what was typed."""
    sources = context.sources.visible_to(actor_of(interaction))
    return choices(((source.label, source.name) for source, _ in sources), typed)


def choices(entries: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    """Return the entries (label, value) that match what was typed, as Discord offers them."""
    return [app_commands.Choice(name=label, value=value) for label, value in matching_choices(entries, typed)]
