"""The ssh_command source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.network.shell import MAX_OUTPUT_BYTES, CommandOutcome, run_over_ssh
from app.bot.infrastructure.network.ssh import SshLogin, open_ssh
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.json_mapping import Extract, ItemMapping, MetricMapping, StatusMapping
from app.bot.infrastructure.threads import in_thread

_MESSAGE_CHARACTERS = 200
_PROBLEMS_SHOWN = 3


@source_types.register("ssh_command")
class SshCommand(SshLogin, Source, title="SSH command"):
    """What a command prints on a host, by SSH: as text, or as JSON with numbers and tables in it.

    The status is that of the command's end: 0 is up, any other is down unless listed. Metrics: exit_code, and those
    that JMESPath expressions take out. Tables: output (the lines, of text), and those that expressions take out. For
    text an expression sees text, lines and exit_code, such as to_number(lines[0]).
    """

    host: str = Field(min_length=1, max_length=253, pattern=r"^[^-\s]\S*$", description="Host name or address")
    port: int = Field(22, ge=1, le=65_535, description="Port of SSH")
    user: str = Field("", max_length=64, description="User to log in as; empty for the bot's own name")
    command: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        description="The program and its arguments, one in each line; each is quoted for the other side's shell. May "
        "hold ${secret:name}",
    )
    format: Literal["text", "json"] = Field("text", description="What the command prints")
    metrics: tuple[MetricMapping, ...] = Field((), max_length=500, description="The numbers to take")
    items: tuple[ItemMapping, ...] = Field((), max_length=20, description="The tables to take")
    status: StatusMapping | None = Field(
        None, description="Where the output says how things are, when the end was good"
    )
    up_codes: tuple[int, ...] = Field((0,), max_length=256, description="Exit codes that mean up")
    degraded_codes: tuple[int, ...] = Field(
        (), max_length=256, description="Exit codes that mean degraded, such as 1 for the checks of Nagios"
    )

    @field_validator("command")
    @classmethod
    def _has_a_program(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if not arguments[0].strip():
            raise ValueError("begins with nothing: the first one is the program")
        return arguments

    async def read(self, resources: Resources) -> Reading:
        """Run the command once. Raises SshFailedError, CommandFailedError, SourceFailedError or a secret's error."""
        secrets = SecretUse(resources.secrets)
        arguments = [await secrets.fill(argument) for argument in self.command]
        connection = await open_ssh(self.host, self.port, self.user, self, secrets)
        try:
            outcome = await run_over_ssh(connection, arguments, complaints=self.format == "text")
        finally:
            connection.close()
        # Off the event loop: parsing a megabyte, and an expression over it, may take a while.
        return await in_thread(lambda: self._reading(outcome, secrets), "ssh-command")

    def _reading(self, outcome: CommandOutcome, secrets: SecretUse) -> Reading:
        text = secrets.hide(outcome.output)
        lines = text.splitlines()
        status, message = self._ended(outcome, lines)
        document = self._document(outcome, text, lines, status)
        extract = Extract()
        for metric in self.metrics:
            metric.take(document, extract)
        for table in self.items:
            table.take(document, extract)
        if status is Status.UP and self.status is not None:
            status, message = self.status.read(document)
        if extract.problems and status is not Status.DOWN:
            status = max(status, Status.DEGRADED, key=lambda one: one.severity)
            message = "; ".join([*([message] if message else []), *extract.problems[:_PROBLEMS_SHOWN]])
        tables: dict[str, list[dict[str, Any]]] = dict(extract.items)
        if self.format == "text":
            tables.setdefault("output", [{"line": line} for line in lines[:MAX_ITEMS]])
        code = None if outcome.status is None else float(outcome.status)
        return Reading(datetime.now(UTC), status, message, (Metric("exit_code", code), *extract.metrics), tables)

    def _ended(self, outcome: CommandOutcome, lines: list[str]) -> tuple[Status, str]:
        if outcome.status in self.up_codes:
            return Status.UP, ""
        how = "by a signal" if outcome.status is None else f"with {outcome.status}"
        last = next((one_line(line) for line in reversed(lines) if line.strip()), "")
        message = shorten(f"{last} (it ended {how})" if last else f"The command ended {how}", _MESSAGE_CHARACTERS)
        return (Status.DEGRADED if outcome.status in self.degraded_codes else Status.DOWN), message

    def _document(self, outcome: CommandOutcome, text: str, lines: list[str], status: Status) -> Any:
        if self.format == "text":
            return {"text": text, "lines": lines, "exit_code": outcome.status}
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            if status is Status.DOWN:
                return None
            if len(text) >= MAX_OUTPUT_BYTES:
                raise SourceFailedError("The command prints more than 1 MiB") from None
            begins = f"it begins with “{shorten(one_line(text[:500]), 60)}”" if text.strip() else "it prints nothing"
            raise SourceFailedError(f"The command does not print JSON: {begins}") from None
