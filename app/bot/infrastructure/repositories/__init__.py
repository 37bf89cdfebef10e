"""Repositories: plain SQL on asyncpg, mapping records to the domain's models."""

from app.bot.infrastructure.repositories.action_runs import PostgresActionRuns
from app.bot.infrastructure.repositories.audit import PostgresAudit
from app.bot.infrastructure.repositories.audit_trail import PostgresAuditTrail
from app.bot.infrastructure.repositories.bot_instances import PostgresBotInstances
from app.bot.infrastructure.repositories.dashboards import PostgresDashboards
from app.bot.infrastructure.repositories.definitions import (
    PostgresServices,
    PostgresSettings,
    postgres_actions,
    postgres_commands,
    postgres_component_types,
    postgres_grants,
    postgres_source_types,
)
from app.bot.infrastructure.repositories.guilds import PostgresGuilds
from app.bot.infrastructure.repositories.history import PostgresHistory
from app.bot.infrastructure.repositories.placements import PostgresPlacements
from app.bot.infrastructure.repositories.pushes import PostgresPushes
from app.bot.infrastructure.repositories.source_tests import PostgresSourceTests
from app.bot.infrastructure.repositories.sources import PostgresDataSources

__all__ = [
    "PostgresActionRuns",
    "PostgresAudit",
    "PostgresAuditTrail",
    "PostgresBotInstances",
    "PostgresDashboards",
    "PostgresDataSources",
    "PostgresGuilds",
    "PostgresHistory",
    "PostgresPlacements",
    "PostgresPushes",
    "PostgresServices",
    "PostgresSettings",
    "PostgresSourceTests",
    "postgres_actions",
    "postgres_commands",
    "postgres_component_types",
    "postgres_grants",
    "postgres_source_types",
]
