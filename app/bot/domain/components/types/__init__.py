"""The builtin component types, one file each. Importing this package registers them all."""

from app.bot.domain.components.component import component_types
from app.bot.domain.registry import import_modules

__all__ = ["component_types"]

import_modules(__name__)
