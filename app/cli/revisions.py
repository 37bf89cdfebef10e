"""Looking at what changed, and undoing it: `homelab revisions`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from app.cli.context import command_database, command_settings
from app.cli.terminal import UsageError, console, plain
from app.shared.differences import ABSENT, Difference

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.definitions.actors import WebActor
    from app.definitions.store import RecordStore
    from app.shared.database.models import RevisionRow

commands = typer.Typer(help="What was changed in definitions, by whom, and the way back.", no_args_is_help=True)

Result = TypeVar("Result")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_VERBS = {"insert": "made", "update": "changed", "delete": "deleted"}
_MOST_SHOWN = 200
Id = Annotated[int, typer.Argument(min=1, max=2**63 - 1, metavar="ID", help="As `homelab revisions list` says it.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: the same JSON as the REST API's.")]


@commands.command("list")
def list_revisions(
    *,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, such as dashboards or data-sources.")] = None,
    key: Annotated[str | None, typer.Option(help="Only of the record with this key.")] = None,
    dashboard: Annotated[int | None, typer.Option(min=1, help="Only of this dashboard and its components.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by who has this in the name.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Not older: 30m, 12h, 7d, 2w, or a time such as 2026-11-23T08:00.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Not more than so many.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List changes, newest first."""
    from app.definitions.revisions import RevisionFilter, select_revisions, title, without_rows

    wanted = RevisionFilter(
        kind, key, None if dashboard is None else str(dashboard), actor, parse_since(since, datetime.now(UTC))
    )

    async def run(database: AsyncSession, store: RecordStore, actor: WebActor) -> list[tuple[RevisionRow, str]]:
        statement = without_rows(select_revisions(wanted, actor)).add_columns(title()).limit(limit)
        return [(row, name) for row, name in await database.execute(statement)]

    found = _run(run)
    if as_json:
        from app.definitions.revision_outputs import summary_of

        _print_json([summary_of(row, name).model_dump(mode="json") for row, name in found])
    elif not found:
        console.print("There are no such revisions.")
    else:
        console.print(_table(found))


@commands.command("show")
def show_revision(revision: Id, as_json: AsJson = False) -> None:
    """Show what one change changed, field by field. What could be a secret is hidden."""
    from app.definitions.revisions import get_revision, shown_differences

    async def run(database: AsyncSession, store: RecordStore, actor: WebActor) -> tuple[RevisionRow, str]:
        row = await get_revision(database, revision, actor)
        return row, await _title(database, row)

    row, name = _run(run)
    if as_json:
        from app.definitions.revision_outputs import details_of

        _print_json(details_of(row, name).model_dump(mode="json"))
        return
    console.print(plain(_sentence(row, name)), soft_wrap=True, highlight=False)
    _print_differences(shown_differences(row.table_name, row.before, row.after))
    unkept = sorted(set(row.fields) - set(row.after or {}) - set(row.before or {}))
    for field in unkept:
        console.print(f"  [yellow]~[/] {plain(field)} changed; its values are not kept.")


@commands.command("restore")
def restore_revision(
    revision: Id,
    after: Annotated[bool, typer.Option("--after", help="Restore what was after the change, not before it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Give a record back what it was before a change. A deleted one comes back with its id, a dashboard with its parts.

    It is checked as if it were entered now, and restoring is a revision itself.
    """
    from app.definitions.restoring import Version, changes_of_restore, restore
    from app.definitions.revisions import get_revision, newest_revision

    version = Version.AFTER if after else Version.BEFORE

    async def look(
        database: AsyncSession, store: RecordStore, actor: WebActor
    ) -> tuple[RevisionRow, str, list[Difference], int]:
        row = await get_revision(database, revision, actor)
        newest = await newest_revision(database, row.table_name, row.row_key)
        changes = await changes_of_restore(database, store, row, version)
        return row, await _title(database, row), changes, row.id if newest is None else newest.id

    async def run(database: AsyncSession, store: RecordStore, actor: WebActor) -> str:
        row = await get_revision(database, revision, actor)
        done = await restore(database, store, row, version, actor, newest=newest)
        await database.commit()
        parts = f", with {done.parts} that belong to it" if done.parts else ""
        outcome = {"created": "is there again", "changed": "is restored", "unchanged": "is like that already"}
        return f"The {done.kind.singular} {done.key} {outcome[done.outcome]}{parts}."

    row, name, changes, newest = _run(look)
    console.print(plain(f"Restoring {_record(row, name)} changes:"), soft_wrap=True, highlight=False)
    _print_differences(changes)
    if not yes and not typer.confirm("Restore it?"):
        raise UsageError("Nothing was changed.")
    console.print(plain(_run(run)), soft_wrap=True, highlight=False)


def parse_since(text: str | None, now: datetime) -> datetime | None:
    """`7d` before now, or the time that it says (UTC without a zone). Raises UsageError."""
    if text is None:
        return None
    span = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    try:
        if span is not None:
            return now - timedelta(**{_SPANS[span[2]]: int(span[1])})
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"“{text}” is no time. Write 30m, 12h, 7d, 2w, or such as 2026-11-23T08:00.") from None


def _run(work: Callable[[AsyncSession, RecordStore, WebActor], Coroutine[Any, Any, Result]]) -> Result:
    """Do it in a session of its own, as the one who runs the command. Raises UsageError for what is refused."""
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.cli.provision import config_models
    from app.definitions.actors import command_line_actor
    from app.definitions.errors import RecordError
    from app.definitions.store import record_store
    from app.shared.database.core.connection import wait_for_database
    from app.shared.database.core.engine import create_engine
    from app.shared.database.core.migrate import check
    from app.shared.secrets import open_secret_box

    settings = command_settings()
    key = settings.secret_key.get_secret_value() if settings.secret_key is not None else None

    async def run(url: str) -> Result:
        await wait_for_database(url, timeout_seconds=10)
        await check(url)
        store = record_store(config_models(), open_secret_box(settings.data_dir, key))
        engine = create_engine(url, application_name="homelab revisions", pooled=False)
        try:
            async with AsyncSession(engine, expire_on_commit=False) as database:
                return await work(database, store, command_line_actor())
        finally:
            await engine.dispose()

    with command_database(settings) as urls:
        try:
            return asyncio.run(run(urls.owner))
        except RecordError as error:
            raise UsageError(str(error)) from error


def _table(found: list[tuple[RevisionRow, str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("Id", justify="right")
    for heading in ("When (UTC)", "Who", "What"):
        table.add_column(heading, no_wrap=heading != "What")
    table.add_column("Fields", overflow="fold")
    for row, name in found:
        what = f"{_VERBS[row.operation]} {_record(row, name)}"
        note = f" ({row.note})" if row.note else ""
        when = row.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(row.id), when, plain(_who(row)), plain(what + note), plain(", ".join(row.fields)))
    return table


def _who(row: RevisionRow) -> str:
    return f"{row.actor_name} ({row.actor_type})" if row.actor_name != row.actor_type else row.actor_type


def _record(row: RevisionRow, name: str) -> str:
    from app.definitions.revisions import singular

    return f"{singular(row.table_name)} {row.row_key}{f' “{name}”' if name else ''}"


def _sentence(row: RevisionRow, name: str) -> str:
    when = row.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    note = f", {row.note}" if row.note else ""
    return f"{_who(row)} {_VERBS[row.operation]} {_record(row, name)} at {when}{note}"


def _print_differences(found: list[Difference]) -> None:
    for difference in found[:_MOST_SHOWN]:
        before, after = difference.texts()
        path = plain(difference.path)
        if difference.before is ABSENT:
            line = f"  [green]+[/] {path}: [green]{plain(after)}[/]"
        elif difference.after is ABSENT:
            line = f"  [red]-[/] {path}: [red]{plain(before)}[/]"
        else:
            line = f"  [yellow]~[/] {path}: [red]{plain(before)}[/] → [green]{plain(after)}[/]"
        console.print(line, soft_wrap=True, highlight=False)
    if len(found) > _MOST_SHOWN:
        console.print(f"  and {len(found) - _MOST_SHOWN} more")
    if not found:
        console.print("  nothing that can be shown")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


async def _title(database: AsyncSession, row: RevisionRow) -> str:
    from sqlalchemy import select

    from app.definitions.revisions import title
    from app.shared.database.models import RevisionRow

    return await database.scalar(select(title()).where(RevisionRow.id == row.id)) or ""
