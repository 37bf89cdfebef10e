"""The `homelab` command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.settings import Settings, SettingsError, load_settings
from app.shared.database.core.errors import DatabaseError
from app.shared.database.core.urls import DatabaseUrls

app = typer.Typer(
    name="homelab",
    help="Your homelab, defined in PostgreSQL and living in Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
database = typer.Typer(
    help="The database's schema: bring it up to date, or look where it stands.", no_args_is_help=True
)
app.add_typer(database, name="db")

console = Console()
errors = Console(stderr=True)

Shards = Annotated[
    str | None,
    typer.Option("--shards", help="Which of Discord's shards to serve, such as 0-3/16. Default: all.", metavar="RANGE"),
]
_SNOWFLAKE: Any = {"min": 1, "max": 2**63 - 1, "metavar": "ID"}
"""What an id of Discord's can be."""


class UsageError(Exception):
    """What was asked for cannot be done; the text is one line that says what to do."""


def main() -> None:
    """Entry point: every failure that has a name becomes one line and an exit code, never a traceback."""
    from app.bot.domain.errors import HomelabError
    from app.processes import PortTakenError, ProgramStoppedError
    from app.shared.secrets import SecretError

    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except SettingsError as error:
        _fail(str(error), 2)
    except (UsageError, PortTakenError, HomelabError, DatabaseError, SecretError) as error:
        _fail(str(error), 1)
    except ProgramStoppedError as error:
        _fail(str(error), error.code or 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:  # noqa: BLE001  # the last edge: a user gets a line, never a traceback
        _fail(_unforeseen(error), 1)


@app.command()
def up() -> None:
    """Set everything up and run it: database, web admin, and the bot. Without a Discord token: the demo."""
    _run_everything(demo=None)


@app.command()
def demo() -> None:
    """Run the real bot on a simulated Discord, with a page to click in, beside the web admin. Needs no account."""
    _run_everything(demo=True)


@app.command()
def bot(shards: Shards = None) -> None:
    """Run the bot alone, on a database that `homelab up`, `web` or `db upgrade` has prepared."""
    from app.bot.main import run_bot

    settings = _settings()
    options = parse_shards(shards) if shards else {}
    with _database(settings) as urls:
        asyncio.run(run_bot(settings, urls.bot, **options))


@app.command()
def web() -> None:
    """Run the web admin alone. It owns the schema: migrations run and the catalog is seeded before it starts."""
    from app.processes import check_ports
    from app.provision import config_models, prepare
    from app.web.main import WebStartError, serve

    settings = _settings()
    check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
    with _database(settings) as urls:

        async def run() -> None:
            await prepare(urls)
            await serve(settings, urls, config_models=config_models(), announce=_announce)

        try:
            asyncio.run(run())
        except WebStartError as error:
            raise UsageError(str(error)) from error


@app.command("run-demo", hidden=True)
def run_demo() -> None:
    """The demo's bot alone: what `homelab demo` starts."""
    from app.demo import run_demo as run

    settings = _settings()

    with _database(settings) as urls:
        _run_until_signal(run(settings, urls, lambda url: _announce(f"Discord    simulated, open it here: {url}")))


@app.command("seed")
def seed(
    guild: Annotated[
        int | None, typer.Option(help="Also add the catalog's dashboards to the guild with this id.", **_SNOWFLAKE)
    ] = None,
    channel: Annotated[int | None, typer.Option(help="The channel that shows those dashboards.", **_SNOWFLAKE)] = None,
) -> None:
    """Add the catalog: services, commands, data sources, and with --guild two dashboards. Changes nothing you made."""
    from app.catalog.seed import dashboards, seed_dashboards
    from app.provision import prepare
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
    with _database(_settings()) as urls:
        asyncio.run(run(urls))
    console.print(
        "The catalog is in the database." if guild is None else "The catalog and its dashboards are in the database."
    )


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the schema up to date, and give the bot's role its rights."""
    from app.provision import prepare
    from app.shared.database.core.migrate import status

    with _database(_settings()) as urls:
        asyncio.run(prepare(urls))
        found = asyncio.run(status(urls.owner))
    console.print(f"The schema is up to date (revision {found.current}).")


@database.command("status")
def database_status() -> None:
    """Say where the schema stands. Exit code 1 when it is not up to date."""
    from app.shared.database.core.connection import wait_for_database
    from app.shared.database.core.migrate import status

    with _database(_settings()) as urls:
        asyncio.run(wait_for_database(urls.owner, timeout_seconds=10))
        found = asyncio.run(status(urls.owner))
    if found.up_to_date:
        console.print(f"Up to date: revision {found.current}.")
        return
    console.print(f"Revision {found.current or 'none'} of {found.head}. Run: homelab db upgrade")
    raise SystemExit(1)


@app.command()
def doctor() -> None:
    """Check database, schema, rights, token, permissions, clock and ports, and say what to do.

    Exit code 1 on a fault.
    """
    from app.doctor import examine

    settings = _settings()
    table = Table(box=None, show_header=False, padding=(0, 1))
    findings = examine(settings)
    for finding in findings:
        table.add_row(
            {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "fault": "[red]✗[/]"}[finding.level],
            finding.subject,
            finding.text,
        )
    console.print(table)
    if any(finding.level == "fault" for finding in findings):
        raise SystemExit(1)


def parse_shards(text: str) -> dict[str, Any]:
    """`0-3/16` or `2/16` as discord.py's options. Raises UsageError."""
    wanted, slash, total = text.partition("/")
    first, _, last = wanted.partition("-")
    try:
        count, start, end = int(total), int(first), int(last or first)
    except ValueError:
        count, start, end = 0, 0, 0
    if not slash or not 0 <= start <= end < count:
        raise UsageError(f"“{text}” names no shards. Write FIRST-LAST/TOTAL, such as 0-3/16, counted from 0.")
    return {"shard_ids": list(range(start, end + 1)), "shard_count": count}


def _run_everything(demo: bool | None) -> None:
    """Prepare the database, then run web admin and bot until stopped. `demo` None: only without a token."""
    from app.processes import Program, check_ports, run_programs
    from app.provision import prepare

    settings = _settings()
    with asyncio.Runner() as runner, _alone(settings):
        runner.get_loop()  # made now: a signal while a loop is being made leaves half of one, which complains
        check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
        if demo or (settings.discord_token is None and _is_new(settings)):
            check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
        with _database(settings) as urls:
            runner.run(prepare(urls))
            simulated = demo if demo is not None else not runner.run(_has_token(settings, urls))
            if simulated:
                check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
                if demo is None:
                    console.print("No Discord token yet: running the demo on a simulated Discord.")
            programs = [Program("bot", ("run-demo",) if simulated else ("bot",)), Program("web admin", ("web",))]
            environment = {"DATABASE_URL": urls.owner, "HOMELAB_BOT_DATABASE_URL": urls.bot}
            runner.run(run_programs(programs, environment))
    console.print("Stopped.")


def _is_new(settings: Settings) -> bool:
    """Whether there is no database yet: then there is no token in it either, and nothing that was begun."""
    return settings.database_url is None and not (settings.data_dir / "postgres").exists()


async def _has_token(settings: Settings, urls: DatabaseUrls) -> bool:
    from app.bot.main import TOKEN_SECRET
    from app.shared.database.core.connection import connect

    if settings.discord_token is not None:
        return True
    connection = await connect(urls.bot, "homelab start")
    try:
        return bool(await connection.fetchval("SELECT count(*) FROM secrets WHERE name = $1", TOKEN_SECRET))
    finally:
        await connection.close()


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Refuse a second `homelab up` on the same data folder. Raises UsageError."""
    from app.shared.database.core.file_lock import FileLock

    lock = FileLock(settings.data_dir / "up.lock")
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        acquired = lock.acquire()
    except OSError as error:
        raise UsageError(
            f"{settings.data_dir} cannot be used ({error.strerror}). Give this user the right to write there, or set "
            "HOMELAB_DATA_DIR to another folder."
        ) from error
    if not acquired:
        raise UsageError(
            f"Another `homelab up` runs on {settings.data_dir}. Stop it, or set HOMELAB_DATA_DIR to another folder."
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _database(settings: Settings) -> Iterator[DatabaseUrls]:
    from app.provision import database_of

    with database_of(settings) as urls:
        yield urls


def _settings() -> Settings:
    from app import logs

    settings = load_settings()
    logs.configure_logging(settings.log_level, settings.log_format)
    for secret in (settings.discord_token, settings.secret_key, settings.database_url, settings.bot_database_url):
        logs.hide(secret.get_secret_value() if secret else None)
    return settings


def _run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run until done, or until SIGTERM or SIGINT, which cancels it."""

    async def run() -> None:
        task = asyncio.create_task(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def _announce(line: str) -> None:
    """Print an address where it is seen between the lines of the log."""
    console.print(f"\n[bold green]▸ {_plain(line)}[/bold green]\n", soft_wrap=True, highlight=False)
    sys.stdout.flush()


def _terminate(number: int, _frame: object) -> None:
    """SIGTERM ends this program as an exception does, so that all is stopped; a second one does nothing."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _unforeseen(error: Exception) -> str:
    """One line for an error without a name of its own; where it came from only for those who look for it."""
    if os.environ.get("HOMELAB_LOG_LEVEL", "").upper() == "DEBUG":
        errors.print(_plain("".join(traceback.format_exception(error))), soft_wrap=True, highlight=False)
    said = " ".join(str(error).split())[:300]
    return (
        f"This should not have happened: {type(error).__name__}{f': {said}' if said else ''}. "
        "Set HOMELAB_LOG_LEVEL=DEBUG to see where."
    )


def _fail(text: str, code: int) -> None:
    errors.print(f"[red]✗[/red] {_plain(text)}", soft_wrap=True, highlight=False)
    sys.stdout.flush()
    raise SystemExit(code)


def _plain(text: str) -> str:
    from rich.markup import escape

    from app.logs import redact

    return escape(redact(text))
