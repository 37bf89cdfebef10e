"""Config as code: `homelab export` and `homelab apply`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import command_database, command_settings
from app.cli.terminal import UsageError, console, errors, plain
from app.settings import Settings
from app.shared.database.core.errors import DatabaseError
from app.shared.database.core.urls import DatabaseUrls

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.definitions.files.documents import Document
    from app.definitions.files.exporting import Definitions
    from app.definitions.files.plan import Plan

_TEXT_SUFFIXES = (".yaml", ".yml")


def add_commands(app: typer.Typer) -> None:
    """Add `export`, `apply` and `schema`."""
    app.command("export")(export_definitions)
    app.command("apply")(apply_definitions)
    app.command("schema")(print_schema)


def export_definitions(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="A file (its name ends with .yaml) or a folder. Without it: printed.", metavar="[FILE|DIR]"
        ),
    ] = None,
    guild: Annotated[
        str | None,
        typer.Option(help="Only what belongs to this server: its id, or its name.", metavar="ID"),
    ] = None,
) -> None:
    """Write all definitions as YAML, to keep, to change and to apply again. Secrets stay where they are."""
    from app.definitions.files import exporting
    from app.definitions.files.entries import UnknownNameError
    from app.definitions.files.references import plain_secrets

    with command_database(command_settings()) as urls:
        try:
            definitions = asyncio.run(_read(urls, guild))
            schema_text = asyncio.run(_schema(urls))
        except UnknownNameError as error:
            raise UsageError(f"--guild: {error}.") from error
    for warning in plain_secrets(definitions):
        errors.print(f"[yellow]![/yellow] {plain(warning)}", soft_wrap=True, highlight=False)
    if target is None:
        sys.stdout.write(exporting.one_file(definitions))
    elif target.suffix in _TEXT_SUFFIXES and not target.is_dir():
        _write({target: exporting.one_file(definitions)})
    else:
        files = {target / name: text for name, text in exporting.folder(definitions).items()}
        files[target / exporting.SCHEMA_FILE] = schema_text
        _write(files)
        _tell_of_others(target, files)


def apply_definitions(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files, or folders of *.yaml files; - is standard input.", metavar="FILE|DIR..."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove what the files are about and do not have.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before something is removed.")] = False,
) -> None:
    """Make the definitions what the files say, all of them or none. What no file mentions stays as it is."""
    from app.cli.plans import print_plan
    from app.definitions.files.documents import read_files
    from app.definitions.files.plan import Verb
    from app.definitions.files.problems import MOST_SHOWN, ConfigurationError, MeanwhileChangedError

    settings = command_settings()
    try:
        documents = read_files(paths, os.environ)
        with command_database(settings) as urls:
            asks = prune and not (yes or dry_run) and sys.stdin.isatty()
            if not dry_run:
                asyncio.run(_prepare(urls))
            plan = asyncio.run(_apply(settings, urls, documents, prune=prune, dry_run=dry_run or asks))
            print_plan(console, plan, done=not (dry_run or asks))
            if asks and plan.changes:
                removed = plan.count(Verb.REMOVE)
                if removed and not typer.confirm(f"Remove {removed} of them?"):
                    console.print("Nothing was changed.")
                    raise SystemExit(1)
                asyncio.run(_apply(settings, urls, documents, prune=prune, expected=plan))
                console.print("Applied.")
    except ConfigurationError as error:
        for problem in error.problems[:MOST_SHOWN]:
            errors.print(f"[red]✗[/red] {plain(str(problem))}", soft_wrap=True, highlight=False)
        count = len(error.problems)
        raise UsageError(f"{count} {'problem' if count == 1 else 'problems'}; nothing was changed.") from None
    except MeanwhileChangedError as error:
        raise UsageError(str(error)) from error


def print_schema(
    target: Annotated[
        Path | None, typer.Argument(help="The file to write. Without it: printed.", metavar="[FILE]")
    ] = None,
) -> None:
    """Write the JSON Schema of the files, for editors: fields, types, and what each type can be set to."""
    settings = command_settings()
    text = None
    if settings.database_url is not None or (settings.data_dir / "postgres").exists():
        try:
            with command_database(settings) as urls:
                text = asyncio.run(_schema(urls))
        except DatabaseError as error:
            warning = f"{error} The schema knows only the types of the program, none of your own."
            errors.print(f"[yellow]![/yellow] {plain(warning)}", soft_wrap=True, highlight=False)
    text = text or asyncio.run(_schema(None))
    if target is None:
        sys.stdout.write(text)
    else:
        _write({target: text})


async def _schema(urls: DatabaseUrls | None) -> str:
    """Return the schema's text, with the types of this database's own. Raises DatabaseError."""
    from app.cli.provision import builtin_types
    from app.definitions.files.schema import KnownType, file_schema, own_types

    types = [KnownType(one.table, one.name, one.description, one.config_schema) for one in builtin_types()]
    if urls is not None:
        types += await own_types(urls.owner)
    return json.dumps(file_schema(types), ensure_ascii=False, indent=2) + "\n"


async def _prepare(urls: DatabaseUrls) -> None:
    from app.cli.provision import prepare

    await prepare(urls)


@asynccontextmanager
async def _sessions(urls: DatabaseUrls) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions on a database whose schema is that of this program. Raises UsageError and DatabaseError."""
    from app.shared.database.core.connection import wait_for_database
    from app.shared.database.core.engine import open_sessions
    from app.shared.database.core.migrate import status

    await wait_for_database(urls.owner, timeout_seconds=10)
    if not (await status(urls.owner)).up_to_date:
        raise UsageError("The database's schema is not that of this program. Run: homelab db upgrade")
    async with open_sessions(urls.owner, "homelab configuration") as sessions:
        yield sessions


async def _read(urls: DatabaseUrls, guild: str | None) -> Definitions:
    from app.definitions.files.exporting import read_definitions

    async with _sessions(urls) as sessions, sessions() as database:
        return await read_definitions(database, guild)


async def _apply(
    settings: Settings,
    urls: DatabaseUrls,
    documents: Sequence[Document],
    *,
    prune: bool,
    dry_run: bool = False,
    expected: Plan | None = None,
) -> Plan:
    from app.cli.provision import config_models
    from app.definitions.actors import command_line_actor
    from app.definitions.files.applying import apply_documents
    from app.definitions.store import record_store
    from app.shared.secrets import open_secret_box

    key = settings.secret_key.get_secret_value() if settings.secret_key else None
    store = record_store(config_models(), open_secret_box(settings.data_dir, key))
    async with _sessions(urls) as sessions:
        return await apply_documents(
            sessions, store, command_line_actor(), documents, prune=prune, dry_run=dry_run, expected=expected
        )


def _write(files: Mapping[Path, str]) -> None:
    """Write each file as a whole. Raises UsageError."""
    for path, text in files.items():
        unfinished = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
        console.print(plain(f"Wrote {path}"), soft_wrap=True, highlight=False)


def _tell_of_others(target: Path, written: Iterable[Path]) -> None:
    """Name the files of the folder that are not of this export: they would be applied with it."""
    from app.definitions.files.documents import files_in

    for other in sorted(set(files_in(target)) - set(written)):
        text = f"{other} is not part of this export. Remove it if it is of an older one: `homelab apply` reads it too."
        errors.print(f"[yellow]![/yellow] {plain(text)}", soft_wrap=True, highlight=False)
