"""The bot's composition root: every part is made here, once, and given what it needs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import discord
import structlog

from app import logs
from app.bot.application.actions.action_forms import ActionForms
from app.bot.application.actions.interactions import Interactions
from app.bot.application.actions.requests import SERVICE, Actions
from app.bot.application.actions.running import RunAction
from app.bot.application.actions.worker import ActionWorker, ActionWorkerConfig
from app.bot.application.collecting.collector import Collection, CollectionConfig, Reader
from app.bot.application.collecting.history_writer import HistoryConfig, HistoryService
from app.bot.application.collecting.source_tests import SourceTests
from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.publishing.messenger import Messenger
from app.bot.application.publishing.publisher import Publisher, PublisherConfig
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
from app.bot.application.runtime.heartbeat import Heartbeat, HeartbeatConfig
from app.bot.application.runtime.statistics import Statistics
from app.bot.application.runtime.supervisor import Service, ServiceBuilder, ServiceType, Supervisor
from app.bot.domain.changes import Change
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.errors import HomelabError, StorageUnavailableError
from app.bot.domain.guilds import BotInstance
from app.bot.domain.readings.source import DataSource
from app.bot.domain.registry import Registry
from app.bot.infrastructure.actions import action_types, lend
from app.bot.infrastructure.changes import ChangeListener
from app.bot.infrastructure.discord.attachments import Attachments, to_files
from app.bot.infrastructure.discord.blocks import to_layout
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.bot.infrastructure.discord.pacing import Pacing
from app.bot.infrastructure.discord.run_messages import DiscordRunMessages
from app.bot.infrastructure.job_queue import PgQueuerJobs
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.open_files import allow_many_files
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
from app.bot.infrastructure.secrets import PostgresSecrets, UnknownSecretError
from app.bot.infrastructure.sources import Resources
from app.bot.interface.action_replies import ActionReplies
from app.bot.interface.client import HomelabClient
from app.bot.interface.command_builder import CommandBuilder, CommandSync
from app.bot.interface.commands import CommandContext, command_types
from app.bot.interface.replies import Replies
from app.settings import Settings
from app.shared.charts import ChartRenderer
from app.shared.database.core.connection import connect, wait_for_database
from app.shared.database.core.errors import DatabaseError
from app.shared.database.core.pool import create_pool
from app.shared.expressions import CelExpressions
from app.shared.kit.backoff import Backoff
from app.shared.locales import locale_forms
from app.shared.secrets import SecretBox, open_secret_box
from app.shared.templating import SandboxedTemplates

log = structlog.get_logger(__name__)

TOKEN_SECRET = "discord_token"  # noqa: S105  # the name of a secret, not one
_LAST_RETRY_SECONDS = 60.0
_TOKEN_SECONDS = 2.0
"""How often the web admin is asked for another token than the one that Discord refused."""
_AUTHENTICATION_FAILED = 4004
"""The gateway's close code for a token that is not valid any more (documentation, opcodes and status codes)."""
_WRONG_TOKEN = (
    "Discord does not accept the token. Copy it anew from the Developer Portal (Bot, Reset Token) into "  # noqa: S105  # a sentence
    "DISCORD_TOKEN, or into the secret “discord_token” of the web admin."
)


class BotStartError(HomelabError):
    """The bot cannot start; the text is one line that says what to do."""


class NoTokenError(BotStartError):
    """There is no Discord token, neither in the environment nor in the database."""


class WrongTokenError(BotStartError):
    """Discord does not accept the token."""


def build_client(pool: Pool, bot_url: str, box: SecretBox, **options: Any) -> HomelabClient:
    """The whole bot on one database, ready to log in. Call it in a running event loop.

    `options` are discord.py's own (shard_ids, shard_count). Whoever calls closes the client, then the pool.
    """
    statistics = Statistics()
    pacing = Pacing(statistics)
    client = HomelabClient(http_trace=pacing.trace(), **options)
    definitions = DefinitionCache(_definition_repositories(pool))
    readings = ReadingStore()
    arrivals = Arrivals()
    charts = ChartStore(ChartRenderer(), lambda dashboard_ids: _arrived(dashboard_ids, arrivals, supervisor))
    histories = HistoryStore(lambda dashboard_ids: _arrived(dashboard_ids, arrivals, supervisor))
    builder = _with_types_of(
        definitions,
        DashboardBuilder(
            ComponentFactory(component_types),
            readings,
            SandboxedTemplates(FILTERS, finalize),
            expressions=CelExpressions(),
            histories=histories,
            charts=charts,
            region_of=GuildRegions(lambda: definitions.guilds, locale_forms).of,
        ),
    )
    secrets = PostgresSecrets(pool, box)
    session = make_session()
    resources = Resources(session, secrets, statistics, pushes=PostgresPushes(pool))
    instances = PostgresBotInstances(pool)
    audit = Audit(PostgresAudit(pool))

    types: Registry[ServiceType[Any]] = Registry("service type")
    supervisor = Supervisor(definitions, ServiceBuilder(types), PostgresServices(pool))
    dashboards = Dashboards(definitions, builder, supervisor, audit, arrivals=arrivals)
    forms = ActionForms(action_types, definitions, readings)
    runs = PostgresActionRuns(pool, box)
    actions = Actions(definitions, forms, runs)
    run_messages = DiscordRunMessages(client)
    run_action = RunAction(
        action_types,
        forms,
        runs,
        run_messages,
        definitions=definitions,
        readings=readings,
        dashboards=dashboards,
        services=supervisor,
        resources=lambda: lend(resources),
    )
    attachments = Attachments()
    replies = Replies(to_layout, to_files, attachments)
    interactions = Interactions(definitions, dashboards, supervisor, statistics)
    action_replies = ActionReplies(interactions, actions, replies)

    def condition() -> BotCondition:
        placements = [place for board in definitions.dashboards.values() for place in dashboards.placements_of(board)]
        posted = sum(place.posted_count for place in placements)
        return BotCondition(statistics.started_at, client.measured_latency, len(definitions.dashboards), posted)

    context = CommandContext(
        dashboards,
        Sources(definitions, readings),
        statistics,
        condition,
        replies,
        actions=actions,
        action_replies=action_replies,
        permissions=Permissions(definitions),
        audit=audit,
        audit_trail=AuditTrail(definitions, PostgresAuditTrail(pool)),
        definitions=definitions,
    )
    describe = _describer(client, statistics, pacing, lambda: sync.digest)
    sync = CommandSync(
        client.tree,
        definitions,
        CommandBuilder(command_types, context),
        instances,
        remember=lambda: instances.heartbeat(describe()),
    )

    _register_services(
        types,
        supervisor,
        pool,
        definitions=definitions,
        readings=readings,
        builder=builder,
        histories=histories,
        statistics=statistics,
        messenger=lambda: DiscordMessenger(client, pacing, statistics, attachments),
        open_source=lambda source: open_reader(
            source,
            replace(resources, poll_soon=lambda: _poll_soon(supervisor, source.name)),
            definitions.source_types,
        ),
        heartbeat=lambda config: Heartbeat(instances, describe, config),
    )
    jobs = PgQueuerJobs(lambda: _connect_queue(bot_url))
    types.register(SERVICE)(
        ServiceType(
            ActionWorkerConfig, lambda config: ActionWorker(jobs, runs, forms, run_action, run_messages, config=config)
        )
    )

    source_tests = SourceTests(
        definitions, PostgresSourceTests(pool), lambda source, type_: test_source(source, type_, resources)
    )
    listener = _listener(bot_url, definitions, secrets, supervisor, source_tests)
    register = GuildRegister(PostgresGuilds(pool))
    _watch(client, definitions, statistics)
    client.attach(
        background=Background(
            {
                "definitions": listener.run,
                "services": supervisor.run,
                "guilds": register.run,
                "commands": lambda: sync.run(lambda: client.application_id or 0),
            },
            closers=(session.close, charts.close),
        ),
        guild_register=register,
        services=supervisor,
        interactions=interactions,
        replies=replies,
        action_replies=action_replies,
    )
    return client


def _register_services(
    types: Registry[ServiceType[Any]],
    supervisor: Supervisor,
    pool: Pool,
    *,
    definitions: DefinitionCache,
    readings: ReadingStore,
    builder: DashboardBuilder,
    histories: HistoryStore,
    statistics: Statistics,
    messenger: Callable[[], Messenger],
    open_source: Callable[[DataSource], Reader],
    heartbeat: Callable[[HeartbeatConfig], Service],
) -> None:
    """How each type of service is made when a row asks for it."""

    def source_read(name: str) -> None:
        if (history := supervisor.find(HistoryService)) is not None:
            history.source_read(name)
        if (publisher := supervisor.find(Publisher)) is not None:
            publisher.source_read(name)

    def make_collection(config: CollectionConfig) -> Service:
        states = PostgresDataSources(pool)
        collection = Collection(definitions, readings, open_source, states, config, statistics=statistics)
        collection.on_reading(source_read)
        return collection

    def make_publisher(config: PublisherConfig) -> Service:
        return Publisher(definitions, builder, PostgresPlacements(pool), messenger(), config, statistics=statistics)

    def make_history(config: HistoryConfig) -> Service:
        repository = PostgresHistory(pool)
        return HistoryService(definitions, readings, repository, histories, config, statistics=statistics)

    types.register("collector")(ServiceType(CollectionConfig, make_collection))
    types.register("publisher")(ServiceType(PublisherConfig, make_publisher))
    types.register("history")(ServiceType(HistoryConfig, make_history))
    types.register("heartbeat")(ServiceType(HeartbeatConfig, heartbeat))


def _listener(
    bot_url: str,
    definitions: DefinitionCache,
    secrets: PostgresSecrets,
    supervisor: Supervisor,
    source_tests: SourceTests,
) -> ChangeListener:
    """Hears of every change in the database, and tells whom it concerns."""

    async def apply(change: Change) -> None:
        if change.table == "secrets":
            secrets.forget()
            if (collection := supervisor.find(Collection)) is not None:
                collection.retry_failing()
        if change.table == "source_tests" and change.id is not None:
            source_tests.start(int(change.id))
        if change.table == "pushes":
            for called in [source for source in definitions.sources.values() if str(source.id) == change.id]:
                _poll_soon(supervisor, called.name)
        await definitions.apply(change)

    async def reload() -> None:
        secrets.forget()
        await definitions.reload()

    return ChangeListener(lambda: _connect_listener(bot_url), apply, reload)


def _poll_soon(supervisor: Supervisor, name: str) -> None:
    if (collection := supervisor.find(Collection)) is not None:
        collection.poll_soon(name)


def _arrived(dashboard_ids: Iterable[int], arrivals: Arrivals, supervisor: Supervisor) -> None:
    """What these dashboards waited for is there: a chart, or history."""
    arrivals.arrived(dashboard_ids)
    if (publisher := supervisor.find(Publisher)) is not None:
        for dashboard_id in dashboard_ids:
            publisher.refresh(dashboard_id)


def _watch(client: HomelabClient, definitions: DefinitionCache, statistics: Statistics) -> None:
    statistics.watch("latency", lambda: client.measured_latency, "seconds")
    statistics.watch("guilds", lambda: float(len(client.guilds)))
    statistics.watch("dashboards", lambda: float(len(definitions.dashboards)))


def _with_types_of(definitions: DefinitionCache, builder: DashboardBuilder) -> DashboardBuilder:
    """Keep the builder's component templates current; it learns of a change before all who subscribe later."""

    def changed(_changed: int | None) -> None:
        builder.use_types(definitions.component_types.values())

    definitions.subscribe(Table.COMPONENT_TYPES, changed)
    return builder


async def run_bot(settings: Settings, bot_url: str, **options: Any) -> None:
    """Run on the real Discord until SIGTERM, SIGINT or cancellation, then leave cleanly.

    Waits for a database that is down, and for another token where Discord refuses that of the web admin: whoever
    mistyped it there can mend it there. Raises BotStartError, or DatabaseError for a database that no waiting helps
    (refused, too old a schema), each with one line that says what to do.
    """
    from app.shared.database.core.migrate import check  # Alembic is slow to import, and the demo does not need it

    allow_many_files()
    await wait_for_database(bot_url)
    await check(bot_url)
    box = open_secret_box(settings.data_dir, settings.secret_key.get_secret_value() if settings.secret_key else None)
    pool = await create_pool(bot_url)
    try:
        async with _stop_signals() as stopped:
            while not stopped.is_set():
                token = await find_token(settings, PostgresSecrets(pool, box))
                logs.hide(token)
                client = build_client(pool, bot_url, box, **options)
                try:
                    await _until_stopped(client, token, stopped)
                except WrongTokenError as error:
                    if settings.discord_token is not None:
                        raise
                    log.error(str(error))  # noqa: TRY400  # a line for the user; a traceback tells nothing more
                else:
                    return
                finally:
                    await client.close()
                await _until_another_token(settings, PostgresSecrets(pool, box), token, stopped)
    finally:
        await _close_pool(pool)


async def find_token(settings: Settings, secrets: PostgresSecrets) -> str:
    """The token: DISCORD_TOKEN, or the one entered in the web admin. Raises NoTokenError."""
    if settings.discord_token is not None:
        return settings.discord_token.get_secret_value()
    try:
        return (await secrets.get(TOKEN_SECRET)).strip()
    except UnknownSecretError:
        raise NoTokenError(
            "There is no Discord token. Set DISCORD_TOKEN, or enter it in the web admin as the secret “discord_token”."
        ) from None


async def _until_stopped(client: HomelabClient, token: str, stopped: asyncio.Event) -> None:
    """Stay connected until a signal comes. Raises WrongTokenError, or what ended the connection for good."""
    connection = asyncio.create_task(_stay_connected(client, token), name="discord")
    waiting = asyncio.create_task(stopped.wait(), name="signals")
    try:
        await asyncio.wait({connection, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if connection.done():
            connection.result()
            return
        log.info("stopping")
        await client.close()
    finally:
        for task in (connection, waiting):
            task.cancel()
        await asyncio.gather(connection, waiting, return_exceptions=True)


async def _until_another_token(
    settings: Settings, secrets: PostgresSecrets, refused: str, stopped: asyncio.Event
) -> None:
    """Wait until the web admin has another token than the refused one, or a signal comes."""
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _TOKEN_SECONDS)
        secrets.forget()
        with suppress(NoTokenError, StorageUnavailableError):
            if await find_token(settings, secrets) != refused:
                return


async def _stay_connected(client: HomelabClient, token: str) -> None:
    backoff = Backoff(1.0, _LAST_RETRY_SECONDS)
    while True:
        pause = backoff.next()
        try:
            await client.login(token)
            break
        except discord.LoginFailure:
            raise WrongTokenError(_WRONG_TOKEN) from None
        except (aiohttp.ClientError, OSError, discord.HTTPException) as error:
            log.warning(f"Discord cannot be reached. Trying again in {pause:g} s", reason=type(error).__name__)
            await client.http.close()
            client.http.connector = discord.utils.MISSING  # closed with the session; the next login makes another
        await asyncio.sleep(pause)
    try:
        await client.connect()
    except discord.ConnectionClosed as error:
        if error.code == _AUTHENTICATION_FAILED:  # the token was reset while the bot was connected
            raise WrongTokenError(_WRONG_TOKEN) from None
        raise


@asynccontextmanager
async def _stop_signals() -> AsyncIterator[asyncio.Event]:
    """An event that is set by SIGTERM and SIGINT, where the platform lets an event loop hear of them."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    heard: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or a loop in a thread
            loop.add_signal_handler(number, stopped.set)
            heard.append(number)
    try:
        yield stopped
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


async def _connect_listener(bot_url: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await connect(bot_url, "homelab bot changes")
    except DatabaseError as error:
        raise StorageUnavailableError(str(error)) from error


async def _connect_queue(bot_url: str) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await connect(bot_url, "homelab bot actions")
    except DatabaseError as error:
        raise StorageUnavailableError(str(error)) from error


async def _close_pool(pool: Pool) -> None:
    """Give connections a moment to finish; a database that hangs must not keep the process alive."""
    try:
        await asyncio.wait_for(pool.close(), 5)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


def _describer(
    client: HomelabClient, statistics: Statistics, pacing: Pacing, command_hash: Callable[[], str | None]
) -> Callable[[], BotInstance]:
    """Says how this process is doing: what the heartbeat writes."""
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
            command_hash=command_hash(),
            shard_ids=tuple(client.shards),
            metrics={**statistics.counters(), "channels": _paces(pacing)},
        )

    return describe


def _paces(pacing: Pacing) -> dict[str, dict[str, float | None]]:
    """By channel, the seconds between two edits that Discord allows there: of young messages, and of old ones."""
    found = pacing.cadences().items()
    return {str(channel_id): {"young": cadence.young, "old": cadence.old} for channel_id, cadence in found}


def _definition_repositories(pool: Pool) -> DefinitionRepositories:
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
