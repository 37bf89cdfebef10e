"""Checking the installation: `homelab doctor`."""

from __future__ import annotations

import typer
from rich.table import Table

from app.cli.context import command_settings
from app.cli.terminal import console


def add_commands(app: typer.Typer) -> None:
    """Add `doctor`."""
    app.command()(doctor)


def doctor() -> None:
    """Check database, schema, rights, token, permissions, clock and ports, and say what to do.

    Exit code 1 on a fault.
    """
    from app.cli.checks import examine

    settings = command_settings()
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
