"""Filling the database with the catalog."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from app.cli.context import command_database, command_settings
from app.cli.terminal import UsageError, console
from app.shared.database.core.urls import DatabaseUrls

_SNOWFLAKE: Any = {"min": 1, "max": 2**63 - 1, "metavar": "ID"}
"""What an id of Discord's can be."""


def add_commands(app: typer.Typer) -> None:
    """Add `seed`."""
    app.command()(seed)


def seed(
    guild: Annotated[
        int | None, typer.Option(help="Also add the catalog's dashboards to the guild with this id.", **_SNOWFLAKE)
    ] = None,
    channel: Annotated[int | None, typer.Option(help="The channel that shows those dashboards.", **_SNOWFLAKE)] = None,
) -> None:
    """Add the catalog: services, commands, data sources, and with --guild two dashboards. Changes nothing you made."""
    from app.cli.provision import add_guild, catalog_store, prepare
    from app.definitions.files.problems import ConfigurationError
    from app.definitions.seeding import dashboard_texts, seed_dashboards
    from app.shared.database.core.engine import open_sessions

    async def run(urls: DatabaseUrls) -> None:
        await prepare(urls)
        if guild is None:
            return
        await add_guild(urls.owner, guild, str(guild))
        async with open_sessions(urls.owner, "homelab seed") as sessions:
            await seed_dashboards(sessions, catalog_store, guild, dict.fromkeys(dashboard_texts(), channel))

    if channel is not None and guild is None:
        raise UsageError("--channel needs --guild: say which guild the channel is in.")
    with command_database(command_settings()) as urls:
        try:
            asyncio.run(run(urls))
        except ConfigurationError as error:
            raise UsageError(f"The dashboards cannot be added: {error}") from error
    console.print(
        "The catalog is in the database." if guild is None else "The catalog and its dashboards are in the database."
    )
