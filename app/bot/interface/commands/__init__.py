"""The slash command types, one file each. Importing this package registers them all."""

from app.bot.interface.commands import dashboard, run_action, show_dashboard, sources, status
from app.bot.interface.commands.base import CommandContext, CommandType, command_types

__all__ = [
    "CommandContext",
    "CommandType",
    "command_types",
    "dashboard",
    "run_action",
    "show_dashboard",
    "sources",
    "status",
]
