"""Running the programs: everything, or one of them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from app.cli.context import command_database, command_settings
from app.cli.processes import Program, run_programs
from app.cli.terminal import UsageError, announce, console
from app.settings import Settings
from app.shared.database.core.urls import DatabaseUrls

Shards = Annotated[
    str | None,
    typer.Option("--shards", help="Which of Discord's shards to serve, such as 0-3/16. Default: all.", metavar="RANGE"),
]


def add_commands(app: typer.Typer) -> None:
    """Add `up`, `demo`, `gallery`, `bot`, `web`, and the program that the demo starts."""
    app.command()(up)
    app.command()(demo)
    app.command()(gallery)
    app.command()(bot)
    app.command()(web)
    app.command("run-demo", hidden=True)(run_demo)


def up() -> None:
    """Set everything up and run it: database, web admin, and the bot. Without a Discord token: the demo."""
    _run_everything(demo=None)


def demo() -> None:
    """Run the real bot on a simulated Discord, with a page to click in, beside the web admin. Needs no account."""
    _run_everything(demo=True)


def gallery() -> None:
    """Show every component type with realistic data: the demo on a made-up lab, with a database that is thrown away."""
    from app.cli.processes import check_ports
    from app.cli.provision import prepare

    with (
        TemporaryDirectory(prefix="homelab-gallery-", ignore_cleanup_errors=True) as folder,
        asyncio.Runner() as runner,
    ):
        runner.get_loop()  # made now, as in _run_everything
        settings = command_settings().model_copy(
            update={"data_dir": Path(folder), "database_url": None, "bot_database_url": None}
        )
        check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
        check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
        with command_database(settings) as urls:
            runner.run(prepare(urls))
            _run_beside_web(runner, Program("bot", ("run-demo", "--gallery")), settings, urls)
    console.print("Stopped.")


def bot(shards: Shards = None) -> None:
    """Run the bot alone, on a database that `homelab up`, `web` or `db upgrade` has prepared."""
    from app.bot.run import run_bot

    settings = command_settings()
    options = parse_shards(shards) if shards else {}
    with command_database(settings) as urls:
        asyncio.run(run_bot(settings, urls.bot, **options))


def web() -> None:
    """Run the web admin alone. It owns the schema: migrations run and the catalog is seeded before it starts."""
    from app.cli.processes import check_ports
    from app.cli.provision import config_models, prepare
    from app.web.main import WebStartError, serve

    settings = command_settings()
    check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
    with command_database(settings) as urls:

        async def run() -> None:
            await prepare(urls)
            await serve(settings, urls, config_models=config_models(), announce=announce)

        try:
            asyncio.run(run())
        except WebStartError as error:
            raise UsageError(str(error)) from error


def run_demo(gallery: Annotated[bool, typer.Option("--gallery")] = False) -> None:
    """Run the demo's bot alone: what `homelab demo` and `homelab gallery` start."""
    from app.demo import define_catalog
    from app.demo import run_demo as run
    from app.gallery import define_gallery, pictures

    settings = command_settings()
    define = define_gallery if gallery else define_catalog

    def say(url: str) -> None:
        announce(f"Discord    simulated, open it here: {url}")

    with command_database(settings) as urls:
        _run_until_signal(run(settings, urls, say, define, pictures() if gallery else None))


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
    from app.cli.processes import check_ports
    from app.cli.provision import prepare

    settings = command_settings()
    with asyncio.Runner() as runner, _alone(settings):
        runner.get_loop()  # made now: a signal while a loop is being made leaves half of one, which complains
        check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
        if demo or (settings.discord_token is None and _is_new(settings)):
            check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
        with command_database(settings) as urls:
            runner.run(prepare(urls))
            simulated = demo if demo is not None else not runner.run(_has_token(settings, urls))
            if simulated:
                check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
                if demo is None:
                    console.print("No Discord token yet: running the demo on a simulated Discord.")
            _run_beside_web(runner, Program("bot", ("run-demo",) if simulated else ("bot",)), settings, urls)
    console.print("Stopped.")


def _run_beside_web(runner: asyncio.Runner, bot: Program, settings: Settings, urls: DatabaseUrls) -> None:
    """Run the bot and the web admin on one database until stopped. Raises ProgramStoppedError."""
    environment = {
        "DATABASE_URL": urls.owner,
        "HOMELAB_BOT_DATABASE_URL": urls.bot,
        "HOMELAB_DATA_DIR": str(settings.data_dir),
    }
    runner.run(run_programs([bot, Program("web admin", ("web",))], environment))


def _is_new(settings: Settings) -> bool:
    """Whether there is no database yet: then there is no token in it either, and nothing that was begun."""
    return settings.database_url is None and not (settings.data_dir / "postgres").exists()


async def _has_token(settings: Settings, urls: DatabaseUrls) -> bool:
    from app.bot.run import TOKEN_SECRET
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


def _run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run until done, or until SIGTERM or SIGINT, which cancels it."""

    async def run() -> None:
        task = asyncio.create_task(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
