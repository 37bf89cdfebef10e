"""The builtin component types, one file each. Importing this package registers them all."""

from app.bot.domain.components import heading

__all__ = ["heading"]
