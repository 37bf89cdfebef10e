"""The publisher as a process of its own, to be killed: `python -m ... <address of Discord> <token> <database>`."""

from __future__ import annotations

import asyncio
import sys

import discord
from discord.http import Route

from app.bot.application.publishing.publisher import Publisher, PublisherConfig
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.bot.infrastructure.discord.pacing import Pacing
from app.bot.infrastructure.repositories import (
    PostgresDashboards,
    PostgresDataSources,
    PostgresGuilds,
    PostgresPlacements,
    PostgresServices,
    PostgresSettings,
    postgres_actions,
    postgres_commands,
    postgres_component_types,
    postgres_grants,
    postgres_source_types,
)
from app.shared.database.core.pool import create_pool
from app.shared.templating import SandboxedTemplates


async def main(discord_url: str, token: str, database_url: str) -> None:
    """Publish until killed."""
    Route.BASE = discord_url
    pool = await create_pool(database_url, max_size=2)
    pacing = Pacing()
    client = discord.Client(intents=discord.Intents.none(), http_trace=pacing.trace())
    await client.login(token)
    definitions = DefinitionCache(
        DefinitionRepositories(
            dashboards=PostgresDashboards(pool),
            sources=PostgresDataSources(pool),
            services=PostgresServices(pool),
            commands=postgres_commands(pool),
            actions=postgres_actions(pool),
            grants=postgres_grants(pool),
            settings=PostgresSettings(pool),
            guilds=PostgresGuilds(pool),
            component_types=postgres_component_types(pool),
            source_types=postgres_source_types(pool),
        )
    )
    await definitions.reload()
    builder = DashboardBuilder(ComponentFactory(component_types), ReadingStore(), SandboxedTemplates(FILTERS, finalize))
    config = PublisherConfig(min_refresh_seconds=0.1)
    await Publisher(definitions, builder, PostgresPlacements(pool), DiscordMessenger(client, pacing), config).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
