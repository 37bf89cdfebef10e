"""Errors with a name, raised where the rule is broken and caught at an edge."""

from __future__ import annotations


class HomelabError(Exception):
    """Base of every error whose text may be shown to a user as it stands."""


class DuplicateTypeError(HomelabError):
    """Two implementations claimed the same type name."""


class UnknownTypeError(HomelabError):
    """A row names a type that nothing implements."""


class InvalidConfigError(HomelabError):
    """A row's config does not fit its type; the text names the field and the remedy."""


class UnknownSourceError(HomelabError):
    """A component reads a data source that no row defines."""


class UnknownMetricError(HomelabError):
    """A component reads a metric that the source's reading does not have."""


class TemplateFailedError(HomelabError):
    """A template is wrong, asked for something forbidden, or went over its time or size limit."""


class ExpressionFailedError(HomelabError):
    """A condition in CEL is wrong, or asks for what is not there."""


class NestingError(HomelabError):
    """Components are nested too deep, or a component template contains itself."""


class TooManyNestedError(NestingError):
    """A component consists of so many others that it would keep the bot busy; it is not shown at all."""


class MissingColumnError(HomelabError):
    """A column that a model cannot do without is not in the record."""


class MissingTableError(HomelabError):
    """A table that a feature cannot do without is not in the database."""


class StorageUnavailableError(HomelabError):
    """The database cannot be reached right now; a retry later is right."""


class PermissionRefusedError(HomelabError):
    """The user may not do this; the text says who can grant it."""
