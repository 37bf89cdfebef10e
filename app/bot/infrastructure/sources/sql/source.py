"""The sql source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.connections import client_tls
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.sql import mariadb as sql_mariadb
from app.bot.infrastructure.sources.sql import postgresql as sql_postgresql
from app.bot.infrastructure.sources.sql import sqlite as sql_sqlite
from app.bot.infrastructure.sources.sql.tables import Answer, Login, Table

_PORTS = {"postgresql": 5432, "mariadb": 3306}
_MESSAGE_CHARACTERS = 300
_PROBLEMS_SHOWN = 3
_LABEL_CHARACTERS = 200


class ColumnMapping(BaseModel):
    """A column of numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(min_length=1, max_length=100, description="Column with the number")
    name: str = Field(min_length=1, max_length=100, description="Name of the metric")
    unit: str = Field("", max_length=30, description="Unit, such as percent, bytes or seconds")
    labels: tuple[str, ...] = Field(
        (), max_length=10, description="Columns that become labels: one metric for each row. The first row without them"
    )
    scale: float = Field(1.0, description="The number is multiplied by this")
    kind: MetricKind = Field(
        MetricKind.GAUGE, description="gauge goes up and down; counter only grows, and charts show how fast"
    )

    def take(self, table: Table) -> Iterator[Metric]:
        """Yield the metrics in the rows; one without a value where there is no row."""
        rows = table.rows if self.labels else table.rows[:1]
        for row in rows or [{}]:
            labels = {name: shorten(str(row.get(name, "")), _LABEL_CHARACTERS) for name in self.labels if rows}
            value = _number(row.get(self.column))
            yield Metric(self.name, None if value is None else value * self.scale, self.unit, labels, self.kind)

    def missing_from(self, table: Table) -> list[str]:
        """Columns that the query does not give."""
        return [name for name in (self.column, *self.labels) if name not in table.columns]


class Query(BaseModel):
    """One question to the database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("rows", min_length=1, max_length=100, description="Name of the table with the rows")
    sql: str = Field(min_length=1, max_length=20_000, description="One SELECT")
    metrics: tuple[ColumnMapping, ...] = Field(
        (), max_length=100, description="Columns that become metrics; empty takes the numbers of the first row"
    )

    def take(self, table: Table) -> list[Metric]:
        """Return the metrics of a result."""
        if self.metrics:
            return [metric for mapping in self.metrics for metric in mapping.take(table)][:MAX_ITEMS]
        row = table.rows[0] if table.rows else {}
        return [
            Metric(name, _number(row.get(name)))
            for name in table.columns
            if not table.rows or isinstance(row.get(name), (bool, int, float))
        ]


@source_types.register("sql")
class Sql(Source, title="SQL"):
    """Numbers and tables by queries on a database: PostgreSQL, MariaDB, MySQL or a file of SQLite.

    Nothing can be written: each query runs in a read-only transaction, as its only statement, and with a time limit.
    The numbers of the first row are metrics named like their columns, or what `metrics` says. All rows (the first
    1,000) are a table of the query's name. Degraded when one of several queries fails.
    """

    engine: Literal["postgresql", "mariadb", "sqlite"] = Field(description="Which database; mariadb is also MySQL")
    queries: tuple[Query, ...] = Field(min_length=1, max_length=20, description="What to ask")
    host: str = Field("", max_length=255, description="Name or IP address; for postgresql also the folder of a socket")
    port: int | None = Field(None, ge=1, le=65_535, description="Port; the usual one without it")
    database: str = Field("", max_length=200, description="Name of the database")
    username: str = Field("", max_length=200, description="User, best one that may only read. May be ${secret:name}")
    password: str = Field("", description="Best as ${secret:name}")
    tls: bool = Field(False, description="Encrypt the connection")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    ca_certificate: str = Field(
        "", max_length=100_000, description="Certificate of your own authority: PEM text, or the path of a file"
    )
    path: str = Field("", max_length=1_000, description="For sqlite: the file, where the bot runs")
    query_seconds: float = Field(10, gt=0, le=300, description="How long each query may take")

    @model_validator(mode="after")
    def _check(self) -> Sql:
        if self.engine == "sqlite" and not self.path:
            raise ValueError("path: enter the file of the database")
        if self.engine != "sqlite" and not (self.host and self.username):
            raise ValueError("host, username: enter both")
        if self.engine == "postgresql" and not self.database:
            raise ValueError("database: enter its name")
        names = [query.name for query in self.queries]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"queries: two are named “{doubled}”; names must differ")
        return self

    async def read(self, resources: Resources) -> Reading:
        """Ask all queries. Raises SourceFailedError when none is answered, or a secret's error."""
        secrets = SecretUse(resources.secrets)
        try:
            answers = await self._ask(secrets)
        except SourceFailedError as error:
            raise SourceFailedError(_shown(str(error), secrets)) from None
        failures = [answer for answer in answers if isinstance(answer, SourceFailedError)]
        if len(failures) == len(answers):
            raise SourceFailedError(_shown(str(failures[0]), secrets))
        return self._reading(answers, secrets)

    async def _ask(self, secrets: SecretUse) -> list[Answer]:
        statements = [query.sql for query in self.queries]
        if self.engine == "sqlite":
            return await sql_sqlite.ask(self.path, self.query_seconds, statements)
        ask = sql_postgresql.ask if self.engine == "postgresql" else sql_mariadb.ask
        login = Login(
            self.host,
            self.port or _PORTS[self.engine],
            await secrets.fill(self.database),
            await secrets.fill(self.username),
            await secrets.fill(self.password),
            await client_tls(self.verify_tls, self.ca_certificate, secrets) if self.tls else None,
            self.query_seconds,
        )
        return await ask(login, statements)

    def _reading(self, answers: list[Answer], secrets: SecretUse) -> Reading:
        metrics: list[Metric] = []
        tables: dict[str, list[dict[str, Any]]] = {}
        problems: list[str] = []
        for query, answer in zip(self.queries, answers, strict=True):
            table = Table() if isinstance(answer, SourceFailedError) else answer
            table.rows = secrets.hide_within(table.rows)
            tables[query.name] = table.rows
            metrics.extend(query.take(table))
            if isinstance(answer, SourceFailedError):
                problems.append(f"{query.name}: {answer}")
                continue
            missing = dict.fromkeys(name for mapping in query.metrics for name in mapping.missing_from(table))
            problems.extend(f"{query.name}: there is no column “{name}”" for name in missing)
        more = len(problems) - _PROBLEMS_SHOWN
        shown = [*problems[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])]
        status = Status.DEGRADED if problems else Status.UP
        return Reading(datetime.now(UTC), status, _shown("; ".join(shown), secrets), tuple(metrics), tables)


def _shown(text: str, secrets: SecretUse) -> str:
    return shorten(secrets.hide(text), _MESSAGE_CHARACTERS)


def _number(value: Any) -> float | None:
    """Return a number, or a text that is one; anything else is missing."""
    try:
        return float(value) if isinstance(value, (bool, int, float, str)) else None
    except (ValueError, OverflowError):
        return None
