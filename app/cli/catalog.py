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
    from app.cli.provision import prepare
    from app.definitions.catalog.seed import dashboards, seed_dashboards
    from app.shared.database.core.connection import connect

    async def run(urls: DatabaseUrls) -> None:
        await prepare(urls)
        if guild is None:
            return
        connection = await connect(urls.owner, "homelab seed")
        try:
            await connection.execute(
                "INSERT INTO guilds (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", guild, str(guild)
            )
            await seed_dashboards(connection, guild, dict.fromkeys(dashboards(), channel))
        finally:
            await connection.close()

    if channel is not None and guild is None:
        raise UsageError("--channel needs --guild: say which guild the channel is in.")
    with command_database(command_settings()) as urls:
        asyncio.run(run(urls))
    console.print(
        "The catalog is in the database." if guild is None else "The catalog and its dashboards are in the database."
    )
