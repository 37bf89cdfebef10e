"""The snmp source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.snmp.agent import Agent, Login, Value

_LABEL_CHARACTERS = 200
_PROBLEMS_SHOWN = 3
_SYSTEM = {
    "description": "1.3.6.1.2.1.1.1.0",
    "uptime": "1.3.6.1.2.1.1.3.0",
    "contact": "1.3.6.1.2.1.1.4.0",
    "name": "1.3.6.1.2.1.1.5.0",
    "location": "1.3.6.1.2.1.1.6.0",
}
"""SNMPv2-MIB, which every agent has (RFC 3418)."""


def _check_oid(oid: str) -> str:
    parts = oid.removeprefix(".").split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdecimal() and int(part) < 1 << 32 for part in parts):
        raise ValueError("must be a number such as 1.3.6.1.2.1.1.3.0; names of MIBs are not known here")
    return ".".join(parts)


Oid = Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_check_oid)]


class OidMapping(BaseModel):
    """A single value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, description="Name of the metric")
    oid: Oid = Field(description="Object identifier with its instance, such as 1.3.6.1.4.1.2021.10.1.5.1")
    unit: str = Field("", max_length=30, description="Unit, such as percent, celsius or bytes")
    scale: float = Field(1.0, description="The number is multiplied by this, such as 0.1 for tenths")
    kind: MetricKind = Field(
        MetricKind.GAUGE, description="gauge goes up and down; counter only grows, and charts show how fast"
    )
    labels: dict[str, str] = Field(default_factory=dict, max_length=10, description="Labels that tell metrics apart")

    def metric(self, value: Value, labels: Mapping[str, str]) -> Metric:
        """Return the metric with a value of the agent."""
        number = _number(value)
        return Metric(self.name, None if number is None else number * self.scale, self.unit, labels, self.kind)


class ColumnMapping(OidMapping):
    """A column of numbers."""

    oid: Oid = Field(description="Object identifier of the column, such as 1.3.6.1.2.1.31.1.1.1.6")


class TableMapping(BaseModel):
    """A table of the agent, walked column by column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, description="Name of the table")
    columns: dict[str, Oid] = Field(
        default_factory=dict, max_length=20, description="Columns of texts or numbers: name and object identifier"
    )
    metrics: tuple[ColumnMapping, ...] = Field((), max_length=20, description="Columns that are metrics, one a row")
    label: str = Field("index", min_length=1, max_length=100, description="Label of the metrics: a column, or index")

    @model_validator(mode="after")
    def _check(self) -> TableMapping:
        if not self.columns and not self.metrics:
            raise ValueError("columns: enter at least one, or metrics")
        if self.label != "index" and self.label not in self.columns:
            raise ValueError(f"label: there is no column “{self.label}”")
        return self

    @property
    def oids(self) -> dict[str, str]:
        """All columns by name."""
        return {**self.columns, **{mapping.name: mapping.oid for mapping in self.metrics}}


_INTERFACES = TableMapping(
    name="interfaces",
    columns={
        "interface": "1.3.6.1.2.1.31.1.1.1.1",
        "alias": "1.3.6.1.2.1.31.1.1.1.18",
        "state": "1.3.6.1.2.1.2.2.1.8",
        "speed": "1.3.6.1.2.1.31.1.1.1.15",
    },
    metrics=(
        ColumnMapping(name="network.received", oid="1.3.6.1.2.1.31.1.1.1.6", unit="bytes", kind=MetricKind.COUNTER),
        ColumnMapping(name="network.transmitted", oid="1.3.6.1.2.1.31.1.1.1.10", unit="bytes", kind=MetricKind.COUNTER),
    ),
    label="interface",
)
"""IF-MIB (RFC 2863), with the counters of 64 bits."""


@source_types.register("snmp")
class Snmp(Source, title="SNMP"):
    """A switch, router, printer, NAS or UPS by SNMP (versions 1, 2c and 3): values and tables by their identifiers.

    Metrics: uptime, and those of `metrics` and `tables`. Tables: system (name, description, location, contact), and
    those of `tables`, each row with its index. With `interfaces` also network.received and network.transmitted for
    each interface, and the table interfaces. A value that the agent does not have is missing.
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address")
    port: int = Field(161, ge=1, le=65_535, description="Port")
    version: Literal["1", "2c", "3"] = Field("2c", description="Version of the protocol")
    community: str = Field("", description="Versions 1 and 2c: best as ${secret:name}")
    username: str = Field("", max_length=200, description="Version 3: user name")
    authentication: Literal["none", "md5", "sha", "sha224", "sha256", "sha384", "sha512"] = Field(
        "none", description="Version 3: how the user is authenticated"
    )
    authentication_password: str = Field("", description="Version 3: best as ${secret:name}")
    privacy: Literal["none", "des", "aes", "aes192", "aes256"] = Field(
        "none", description="Version 3: how messages are encrypted"
    )
    privacy_password: str = Field("", description="Version 3: best as ${secret:name}")
    metrics: tuple[OidMapping, ...] = Field((), max_length=200, description="Single values")
    tables: tuple[TableMapping, ...] = Field((), max_length=20, description="Tables of the agent")
    interfaces: bool = Field(False, description="Also read the network interfaces")
    timeout_seconds: float = Field(2.0, ge=0.1, le=30, description="How long to wait for each answer")
    retries: int = Field(2, ge=0, le=10, description="How often to ask again when none comes")

    _agent: Agent | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _check(self) -> Snmp:
        if self.version == "3" and not self.username:
            raise ValueError("username: version 3 needs one")
        if self.version != "3" and not self.community:
            raise ValueError("community: versions 1 and 2c need one, such as public")
        if self.privacy != "none" and self.authentication == "none":
            raise ValueError("authentication: SNMP encrypts only for users that are authenticated")
        names = [table.name for table in self._all_tables]
        if len({*names, "system"}) <= len(names):
            raise ValueError("tables: names must differ, also from system and interfaces")
        return self

    @property
    def _all_tables(self) -> tuple[TableMapping, ...]:
        return (*self.tables, *([_INTERFACES] if self.interfaces else []))

    async def read(self, resources: Resources) -> Reading:
        """Ask for all values. Raises SourceFailedError when the agent does not answer."""
        secrets = SecretUse(resources.secrets)
        login = Login(
            self.version,
            await secrets.fill(self.community),
            await secrets.fill(self.username),
            self.authentication,
            await secrets.fill(self.authentication_password),
            self.privacy,
            await secrets.fill(self.privacy_password),
        )
        if self._agent is None:
            self._agent = await Agent.open(self.host, self.port, self.timeout_seconds, self.retries)
        wanted = [*_SYSTEM.values(), *(mapping.oid for mapping in self.metrics)]
        values = await self._agent.get(login, wanted)
        system = {name: values[oid] for name, oid in _SYSTEM.items()}
        metrics = [Metric("uptime", _number(system.pop("uptime")), "seconds")]
        metrics += [mapping.metric(values[mapping.oid], mapping.labels) for mapping in self.metrics]
        items: dict[str, list[dict[str, Any]]] = {"system": [secrets.hide_within(system)]}
        problems: list[str] = []
        for table in self._all_tables:
            rows = await self._walk(table, login, problems)
            items[table.name] = rows = secrets.hide_within(rows)
            metrics.extend(_metrics_of(table, rows))
        status = Status.DEGRADED if problems else Status.UP
        message = secrets.hide("; ".join(problems[:_PROBLEMS_SHOWN]))
        return Reading(datetime.now(UTC), status, message, tuple(metrics), items)

    async def close(self) -> None:
        """Let go of the socket."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    async def _walk(self, table: TableMapping, login: Login, problems: list[str]) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        assert self._agent is not None  # noqa: S101  # opened before anything is walked
        for name, oid in table.oids.items():
            try:
                column = await self._agent.walk(login, oid, MAX_ITEMS)
            except SourceFailedError as error:
                problems.append(f"{table.name}: {error}")
                break
            for index, value in column.items():
                rows.setdefault(index, {"index": index})[name] = value
        return list(rows.values())[:MAX_ITEMS]


def _metrics_of(table: TableMapping, rows: list[dict[str, Any]]) -> Iterator[Metric]:
    for mapping in table.metrics:
        for row in rows:
            label = shorten(str(row.get(table.label) or row["index"]), _LABEL_CHARACTERS)
            yield mapping.metric(row.get(mapping.name), {**mapping.labels, table.label: label})


def _number(value: Value) -> float | None:
    """Return a number, or a text that is one; anything else is missing."""
    try:
        return None if value is None else float(value)
    except (ValueError, OverflowError):
        return None
