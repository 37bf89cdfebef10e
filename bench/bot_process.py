"""The bot as users run it, told that Discord is elsewhere: `python -m bench.bot_process BASE_URL`."""

from __future__ import annotations

import asyncio
import sys

from discord.http import Route

from app import logs
from app.bot.run import run_bot
from app.settings import load_settings


def main() -> None:
    """Run until terminated, on the database of HOMELAB_BOT_DATABASE_URL."""
    Route.BASE = sys.argv[1]
    settings = load_settings()
    logs.configure_logging(settings.log_level)
    assert settings.bot_database_url is not None
    asyncio.run(run_bot(settings, settings.bot_database_url.get_secret_value()))


if __name__ == "__main__":
    main()
