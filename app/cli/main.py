"""The `homelab` command: its groups of commands, and the edge where every failure becomes one line."""

from __future__ import annotations

import signal

import typer

from app.cli import catalog, configuration, database, doctor, revisions, running
from app.cli.terminal import UsageError, fail, unforeseen
from app.settings import SettingsError
from app.shared.database.core.errors import DatabaseError

app = typer.Typer(
    name="homelab",
    help="Your homelab, defined in PostgreSQL and living in Discord.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
running.add_commands(app)
app.add_typer(database.commands, name="db")
app.add_typer(revisions.commands, name="revisions")
catalog.add_commands(app)
configuration.add_commands(app)
doctor.add_commands(app)


def main() -> None:
    """Entry point: every failure that has a name becomes one line and an exit code, never a traceback."""
    from app.bot.domain.errors import HomelabError
    from app.cli.processes import PortTakenError, ProgramStoppedError
    from app.shared.secrets import SecretError

    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except SettingsError as error:
        fail(str(error), 2)
    except (UsageError, PortTakenError, HomelabError, DatabaseError, SecretError) as error:
        fail(str(error), 1)
    except ProgramStoppedError as error:
        fail(str(error), error.code or 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:  # noqa: BLE001  # the last edge: a user gets a line, never a traceback
        fail(unforeseen(error), 1)


def _terminate(number: int, _frame: object) -> None:
    """SIGTERM ends this program as an exception does, so that all is stopped; a second one does nothing."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
