"""The builtin action types that need nothing but the bot itself, one file each. Importing this registers them."""

from app.bot.application.actions.base import action_types
from app.bot.domain.registry import import_modules

__all__ = ["action_types"]

import_modules(__name__)
