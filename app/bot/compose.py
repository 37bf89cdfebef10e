"""The bot's composition root: every part is made here, once, and given what it needs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import asyncpg

from app.bot.application.actions.authorizer import Authorizer
from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.actions.interactions import Interactions
from app.bot.application.actions.own_bot import OwnBot
from app.bot.application.actions.requests import Actions
from app.bot.application.actions.running import RunAction
from app.bot.application.actions.worker import ActionWorker
from app.bot.application.collecting.collector import Collector, Reader
from app.bot.application.collecting.history_writer import HistoryWriter
from app.bot.application.collecting.source_tests import SourceTests
from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.publishing.publisher import Publisher
from app.bot.application.queries.audit_trail import AuditTrail
from app.bot.application.queries.overview import BotCondition
from app.bot.application.queries.permissions import Permissions
from app.bot.application.queries.sources import Sources
from app.bot.application.rendering.arrivals import Arrivals
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.charts import ChartStore
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.history_store import HistoryStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.rendering.regions import GuildRegions
from app.bot.application.runtime.audit import Audit
from app.bot.application.runtime.background import Background
from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories, Table
from app.bot.application.runtime.guild_register import GuildRegister
from app.bot.application.runtime.heartbeat import Heartbeat
from app.bot.application.runtime.statistics import Statistics
from app.bot.application.runtime.supervisor import Supervisor
from app.bot.domain.changes import Change
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.errors import StorageUnavailableError
from app.bot.domain.guilds import BotInstance
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.actions import action_types, lend
from app.bot.infrastructure.changes import ChangeListener
from app.bot.infrastructure.discord.attachments import Attachments, to_files
from app.bot.infrastructure.discord.blocks import to_layout
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.bot.infrastructure.discord.pacing import Pacing
from app.bot.infrastructure.discord.run_messages import DiscordRunMessages
from app.bot.infrastructure.job_queue import PgQueuerJobs
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.readers import open_reader, test_source
from app.bot.infrastructure.repositories import (
    PostgresActionRuns,
    PostgresAudit,
    PostgresAuditTrail,
    PostgresBotInstances,
    PostgresDashboards,
    PostgresDataSources,
    PostgresGuilds,
    PostgresHistory,
    PostgresPlacements,
    PostgresPushes,
    PostgresServices,
    PostgresSettings,
    PostgresSourceTests,
    postgres_actions,
    postgres_commands,
    postgres_component_types,
    postgres_grants,
    postgres_source_types,
)
from app.bot.infrastructure.repositories.postgres import Pool
from app.bot.infrastructure.secrets import PostgresSecrets
from app.bot.infrastructure.sources import Resources
from app.bot.interface.action_replies import ActionReplies
from app.bot.interface.client import HomelabClient, Parts
from app.bot.interface.command_builder import CommandBuilder, CommandSync
from app.bot.interface.commands import CommandContext, command_types
from app.bot.interface.replies import Replies
from app.shared.charts import ChartRenderer
from app.shared.database.core.connection import connect
from app.shared.database.core.errors import DatabaseError
from app.shared.expressions import CelExpressions
from app.shared.locales import locale_forms
from app.shared.secrets import SecretBox
from app.shared.templating import SandboxedTemplates


@dataclass(frozen=True, slots=True)
class _Database:
    """The database, and the key of what is sealed in it."""

    pool: Pool
    url: str
    box: SecretBox


@dataclass(frozen=True, slots=True)
class _Rendering:
    """What dashboards are built by and from."""

    definitions: DefinitionCache
    readings: ReadingStore
    arrivals: Arrivals
    histories: HistoryStore
    charts: ChartStore
    builder: DashboardBuilder


def build_client(pool: Pool, bot_url: str, box: SecretBox, **options: Any) -> HomelabClient:
    """Return the whole bot on one database, ready to log in. Needs a running event loop.

    `options` are discord.py's own (shard_ids, shard_count). Close the client, then the pool.
    """
    statistics = Statistics()
    pacing = Pacing(statistics)
    make_parts = partial(_make_parts, database=_Database(pool, bot_url, box), pacing=pacing)
    return HomelabClient(statistics, make_parts, http_trace=pacing.trace(), **options)


def _make_parts(client: HomelabClient, database: _Database, pacing: Pacing) -> Parts:
    pool, statistics, rendering = database.pool, client.statistics, _rendering(database.pool)
    definitions, readings = rendering.definitions, rendering.readings
    secrets, session = PostgresSecrets(pool, database.box), make_session()
    resources = Resources(session, secrets, statistics, pushes=PostgresPushes(pool))
    instances, audit, attachments = PostgresBotInstances(pool), Audit(PostgresAudit(pool)), Attachments()

    collector = _collector(pool, definitions, readings, resources)
    history = HistoryWriter(definitions, readings, PostgresHistory(pool), rendering.histories, statistics=statistics)
    messenger = DiscordMessenger(client, pacing, statistics, attachments)
    publisher = Publisher(definitions, rendering.builder, PostgresPlacements(pool), messenger, statistics=statistics)
    collector.on_reading(partial(_pass_reading_on, history, publisher))
    rendering.arrivals.subscribe(publisher.refresh)
    heartbeat = Heartbeat(instances, _describer(client, pacing))

    dashboards = Dashboards(definitions, rendering.builder, publisher, collector, audit, arrivals=rendering.arrivals)
    actions, worker = _actions(client, database, rendering, dashboards, collector=collector, resources=resources)
    interactions = Interactions(definitions, dashboards, publisher)
    replies = Replies(to_layout, to_files, attachments)
    action_replies = ActionReplies(interactions, actions, replies)
    context = CommandContext(
        dashboards,
        Sources(definitions, readings),
        _condition(client, definitions, dashboards),
        replies,
        actions,
        action_replies,
        Permissions(definitions),
        audit,
        AuditTrail(definitions, PostgresAuditTrail(pool)),
        definitions,
    )
    command_builder = CommandBuilder(command_types, context)
    commands = CommandSync(client.tree, definitions, command_builder, instances, heartbeat.beat)

    supervisor = Supervisor(definitions, (collector, history, publisher, heartbeat, worker), PostgresServices(pool))
    source_tests = SourceTests(definitions, PostgresSourceTests(pool), partial(test_source, resources=resources))
    listener = _listener(database.url, definitions, secrets, collector, source_tests)
    register = GuildRegister(PostgresGuilds(pool))
    _watch(client, definitions)
    runs = {
        "definitions": listener.run,
        "services": supervisor.run,
        "guilds": register.run,
        "commands": lambda: commands.run(lambda: client.application_id or 0),
    }
    background = Background(runs, closers=(session.close, rendering.charts.close))
    return Parts(background, register, publisher, interactions, replies, action_replies)


def _rendering(pool: Pool) -> _Rendering:
    definitions, readings, arrivals = DefinitionCache(definition_repositories(pool)), ReadingStore(), Arrivals()
    histories, charts = HistoryStore(arrivals.arrived), ChartStore(ChartRenderer(), arrivals.arrived)
    builder = DashboardBuilder(
        ComponentFactory(component_types),
        readings,
        SandboxedTemplates(FILTERS, finalize),
        expressions=CelExpressions(),
        histories=histories,
        charts=charts,
        region_of=GuildRegions(lambda: definitions.guilds, locale_forms).of,
    )

    def types_changed(_changed: int | None) -> None:
        builder.use_types(definitions.component_types.values())

    definitions.subscribe(Table.COMPONENT_TYPES, types_changed)  # the first: others build again when they hear of it
    return _Rendering(definitions, readings, arrivals, histories, charts, builder)


def _actions(
    client: HomelabClient,
    database: _Database,
    rendering: _Rendering,
    dashboards: Dashboards,
    *,
    collector: Collector,
    resources: Resources,
) -> tuple[Actions, ActionWorker]:
    """Make both ends of the queue of runs: what asks for them, and what does them."""
    definitions, readings = rendering.definitions, rendering.readings
    catalog, runs = ActionCatalog(action_types, definitions, readings), PostgresActionRuns(database.pool, database.box)
    authorizer = Authorizer(catalog, definitions)
    messages = DiscordRunMessages(client)
    own_bot = OwnBot(definitions, readings, dashboards, collector)
    run_action = RunAction(
        action_types,
        catalog,
        authorizer,
        runs,
        messages=messages,
        definitions=definitions,
        resources=lambda: lend(resources, own_bot),
    )
    jobs = PgQueuerJobs(lambda: _connect(database.url, "homelab bot actions"))
    actions = Actions(definitions, catalog, authorizer, runs)
    return actions, ActionWorker(jobs, runs, catalog, run_action, messages)


def _collector(pool: Pool, definitions: DefinitionCache, readings: ReadingStore, resources: Resources) -> Collector:
    def open_source(source: DataSource, poll_soon: Callable[[], None]) -> Reader:
        return open_reader(source, replace(resources, poll_soon=poll_soon), definitions.source_types)

    return Collector(definitions, readings, open_source, PostgresDataSources(pool), statistics=resources.statistics)


def _pass_reading_on(history: HistoryWriter, publisher: Publisher, source: str) -> None:
    if history.is_running:
        history.source_read(source)
    if publisher.is_running:
        publisher.source_read(source)


def _listener(
    bot_url: str,
    definitions: DefinitionCache,
    secrets: PostgresSecrets,
    collector: Collector,
    source_tests: SourceTests,
) -> ChangeListener:
    """Make what hears of every change in the database, and tells the parts that it concerns."""

    async def apply(change: Change) -> None:
        if change.table == "secrets":
            secrets.forget()
            collector.retry_failing()
        if change.table == "source_tests" and change.id is not None:
            source_tests.start(int(change.id))
        if change.table == "pushes":
            for called in [source for source in definitions.sources.values() if str(source.id) == change.id]:
                collector.poll_soon(called.name)
        await definitions.apply(change)

    async def reload() -> None:
        secrets.forget()
        await definitions.reload()

    return ChangeListener(lambda: _connect(bot_url, "homelab bot changes"), apply, reload)


async def _connect(bot_url: str, program: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await connect(bot_url, program)
    except DatabaseError as error:
        raise StorageUnavailableError(str(error)) from error


def _watch(client: HomelabClient, definitions: DefinitionCache) -> None:
    statistics = client.statistics
    statistics.watch("latency", lambda: client.measured_latency, "seconds")
    statistics.watch("guilds", lambda: float(len(client.guilds)))
    statistics.watch("dashboards", lambda: float(len(definitions.dashboards)))


def _condition(
    client: HomelabClient, definitions: DefinitionCache, dashboards: Dashboards
) -> Callable[[], BotCondition]:
    """Return what says how the bot is doing, for commands."""

    def condition() -> BotCondition:
        placements = [place for board in definitions.dashboards.values() for place in dashboards.placements_of(board)]
        posted = sum(place.posted_count for place in placements)
        return BotCondition(client.statistics.started_at, client.measured_latency, len(definitions.dashboards), posted)

    return condition


def _describer(client: HomelabClient, pacing: Pacing) -> Callable[[], BotInstance]:
    """Return what says how this process is doing, for the heartbeat."""
    instance_id, hostname = str(uuid4()), socket.gethostname()
    started_at = datetime.now(UTC)

    def describe() -> BotInstance:
        return BotInstance(
            id=instance_id,
            application_id=client.application_id,
            hostname=hostname,
            pid=os.getpid(),
            version=version("homelab-discord-bot"),
            started_at=started_at,
            latency_seconds=client.measured_latency,
            guild_count=len(client.guilds),
            command_hash=client.tree.digest,
            shard_ids=tuple(client.shards),
            metrics={**client.statistics.counters(), "channels": _paces(pacing)},
        )

    return describe


def _paces(pacing: Pacing) -> dict[str, dict[str, float | None]]:
    """Return the seconds between two edits that Discord allows, by channel: of young messages, and of old ones."""
    found = pacing.cadences().items()
    return {str(channel_id): {"young": cadence.young, "old": cadence.old} for channel_id, cadence in found}


def definition_repositories(pool: Pool) -> DefinitionRepositories:
    """Return the repository of each table of definitions."""
    return DefinitionRepositories(
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
