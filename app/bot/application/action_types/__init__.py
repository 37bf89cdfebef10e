"""The builtin action types, one file each. Importing this package registers them all."""

from app.bot.application.action_types import poll_source, show_dashboard
from app.bot.application.actions import action_types

__all__ = ["action_types", "poll_source", "show_dashboard"]
