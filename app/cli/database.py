"""The database's schema: `homelab db`."""

from __future__ import annotations

import asyncio

import typer

from app.cli.context import command_database, command_settings
from app.cli.terminal import console

commands = typer.Typer(
    help="The database's schema: bring it up to date, or look where it stands.", no_args_is_help=True
)


@commands.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema up to date, and give the bot's role its rights."""
    from app.cli.provision import prepare
    from app.shared.database.core.migrate import status

    with command_database(command_settings()) as urls:
        asyncio.run(prepare(urls))
        found = asyncio.run(status(urls.owner))
    console.print(f"The schema is up to date (revision {found.current}).")


@commands.command("status")
def database_status() -> None:
    """Say where the schema stands. Exit code 1 when it is not up to date."""
    from app.shared.database.core.connection import wait_for_database
    from app.shared.database.core.migrate import status

    with command_database(command_settings()) as urls:
        asyncio.run(wait_for_database(urls.owner, timeout_seconds=10))
        found = asyncio.run(status(urls.owner))
    if found.up_to_date:
        console.print(f"Up to date: revision {found.current}.")
        return
    console.print(f"Revision {found.current or 'none'} of {found.head}. Run: homelab db upgrade")
    raise SystemExit(1)
