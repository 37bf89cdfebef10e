"""The builtin action types that need nothing but the bot itself, one file each. Importing this registers them."""

from app.bot.application.actions.base import action_types
from app.bot.application.actions.types import poll_source, show_dashboard

__all__ = ["action_types", "poll_source", "show_dashboard"]
