"""The builtin data source types: a file, or a package where a type has helpers. Importing this registers them all."""

from app.bot.domain.registry import import_modules
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types

__all__ = ["Resources", "Source", "SourceFailedError", "source_types"]

import_modules(__name__)
