"""What every command works with: the settings of the environment and the database that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.settings import Settings, load_settings
from app.shared.database.core.urls import DatabaseUrls


@contextmanager
def command_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Yield the database; the embedded one runs as long as the block. Raises DatabaseError."""
    from app.cli.provision import database_of

    with database_of(settings) as urls:
        yield urls


def command_settings() -> Settings:
    """Return the settings, with logging set up and no secret of theirs in it. Raises SettingsError."""
    from app import logs

    settings = load_settings()
    logs.configure_logging(settings.log_level, settings.log_format)
    for secret in (settings.discord_token, settings.secret_key, settings.database_url, settings.bot_database_url):
        logs.hide(secret.get_secret_value() if secret else None)
    return settings
