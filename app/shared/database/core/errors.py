"""What can be wrong with the database, each as one line that says what to do next. No text holds a password."""

from __future__ import annotations


class DatabaseError(Exception):
    """Base of the errors of this package; the text may be shown to a user as it stands."""


class EmbeddedServerError(DatabaseError):
    """The embedded PostgreSQL could not be made, started or stopped."""


class DatabaseUnavailableError(DatabaseError):
    """The server did not answer within the time there was."""


class DatabaseRefusedError(DatabaseError):
    """The server answered and said no: a wrong password, a database or role that does not exist, a wrong address."""


class UnsupportedServerError(DatabaseError):
    """The server is older than what this program needs."""


class SchemaTooOldError(DatabaseError):
    """The database lacks migrations that this program has."""


class SchemaTooNewError(DatabaseError):
    """The database has migrations that this program does not know."""


class MigrationFailedError(DatabaseError):
    """A migration could not be applied; the database is as it was before."""
