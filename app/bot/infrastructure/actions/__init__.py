"""The builtin action types, one file each. Importing this package registers them all."""

from app.bot.domain.registry import import_modules
from app.bot.infrastructure.actions.base import ActionResources, action_types, lend

__all__ = ["ActionResources", "action_types", "lend"]

import_modules(__name__)
