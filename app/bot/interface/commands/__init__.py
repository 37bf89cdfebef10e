"""The slash command types, one file each. Importing this package registers them all."""

from app.bot.interface.commands import (
    audit,
    dashboard,
    permissions,
    run_action,
    show_component,
    show_dashboard,
    sources,
    status,
)
from app.bot.interface.commands.base import CommandContext, CommandType, command_types

__all__ = [
    "CommandContext",
    "CommandType",
    "audit",
    "command_types",
    "dashboard",
    "permissions",
    "run_action",
    "show_component",
    "show_dashboard",
    "sources",
    "status",
]
