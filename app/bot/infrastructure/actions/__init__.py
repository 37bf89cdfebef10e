"""The builtin action types, one file each. Importing this package registers them all."""

from app.bot.application.actions.types import action_types
from app.bot.domain.registry import import_modules
from app.bot.infrastructure.actions.base import ActionResources, NetworkAction, lend

__all__ = ["ActionResources", "NetworkAction", "action_types", "lend"]

import_modules(__name__)
