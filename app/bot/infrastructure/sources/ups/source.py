"""The ups source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.connections import client_tls, open_stream
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.ups.nut import NutClient

_METRICS = (
    ("battery.percent", "battery.charge", "percent"),
    ("runtime", "battery.runtime", "seconds"),
    ("load.percent", "ups.load", "percent"),
    ("power", "ups.realpower", "watt"),
    ("input.voltage", "input.voltage", "volt"),
    ("input.frequency", "input.frequency", "hertz"),
    ("output.voltage", "output.voltage", "volt"),
    ("battery.voltage", "battery.voltage", "volt"),
    ("temperature", "ups.temperature", "celsius"),
)
"""Ours, NUT's (https://networkupstools.org/docs/developer-guide.chunked/apas02.html), and the unit."""
_FLAGS = {
    "OL": "on mains",
    "OB": "on battery",
    "LB": "battery low",
    "HB": "battery high",
    "RB": "battery needs to be replaced",
    "CHRG": "charging",
    "DISCHRG": "discharging",
    "BYPASS": "bypass: the battery does not protect",
    "CAL": "calibrating",
    "OFF": "switched off",
    "OVER": "overloaded",
    "TRIM": "lowering the voltage",
    "BOOST": "raising the voltage",
    "FSD": "shutting down",
    "ALARM": "alarm",
    "COMM": "connected",
    "NOCOMM": "no connection to the UPS",
    "TEST": "testing",
}
_DOWN = ("LB", "FSD", "OFF", "NOCOMM")
_DEGRADED = ("OB", "RB", "BYPASS", "OVER", "ALARM", "CAL")


@source_types.register("ups")
class Ups(Source, title="UPS"):
    """An uninterruptible power supply by Network UPS Tools (NUT): also those of Synology, QNAP, Unraid and TrueNAS.

    Degraded on battery, in bypass, overloaded or with a battery to replace; down with a low battery, switched off or
    unreachable. Metrics that the UPS tells: battery.percent, runtime (left), load.percent, power, input.voltage,
    input.frequency, output.voltage, battery.voltage, temperature; and on.battery (1 or 0).
    Tables: ups (name, description, model, status in words), variables (all that it tells).
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address of the machine with upsd")
    port: int = Field(3493, ge=1, le=65_535, description="Port")
    ups: str = Field("", max_length=100, description="Name of the UPS, such as ups; empty for the only one")
    username: str = Field("", max_length=200, description="User of upsd.users, where one is asked for")
    password: str = Field("", description="Best as ${secret:name}")
    tls: bool = Field(False, description="Encrypt the connection")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    ca_certificate: str = Field(
        "", max_length=100_000, description="Certificate of your own authority: PEM text, or the path of a file"
    )

    async def read(self, resources: Resources) -> Reading:
        """Ask upsd once. Raises SourceFailedError or ConnectionFailedError."""
        secrets = SecretUse(resources.secrets)
        username, password = await secrets.fill(self.username), await secrets.fill(self.password)
        context = await client_tls(self.verify_tls, self.ca_certificate, secrets) if self.tls else None
        try:
            async with open_stream(self.host, self.port) as stream:
                client = NutClient(stream)
                if context is not None:
                    await client.start_tls(context, self.host)
                if username:
                    await client.log_in(username, password)
                name, description = await self._choose(client)
                variables = await client.variables(name)
                await client.log_out()
        except SourceFailedError as error:
            raise SourceFailedError(secrets.hide(str(error))) from None
        return _reading(name, secrets.hide(description), secrets.hide_within(variables))

    async def _choose(self, client: NutClient) -> tuple[str, str]:
        names = await client.names()
        if self.ups:
            if self.ups not in names:
                there = ", ".join(list(names)[:10]) or "none"
                raise SourceFailedError(f"The server has no UPS “{self.ups}”; it has {there}")
            return self.ups, names[self.ups]
        if len(names) != 1:
            told = ", ".join(list(names)[:10])
            raise SourceFailedError(f"Say which UPS: the server has {told}" if names else "The server has no UPS")
        return next(iter(names.items()))


def _reading(name: str, description: str, variables: Mapping[str, str]) -> Reading:
    flags = variables.get("ups.status", "").upper().split()
    words = ", ".join(_FLAGS.get(flag, flag) for flag in flags)
    status, message = _judge(flags, words, variables)
    row = {
        "name": name,
        "description": description,
        "model": " ".join(filter(None, (variables.get("ups.mfr"), variables.get("ups.model")))),
        "status": status.value,
        "state": words,
    }
    tables: dict[str, list[dict[str, Any]]] = {
        "ups": [row],
        "variables": [{"name": key, "value": value} for key, value in sorted(variables.items())],
    }
    return Reading(datetime.now(UTC), status, message, tuple(_metrics(flags, variables)), tables)


def _judge(flags: list[str], words: str, variables: Mapping[str, str]) -> tuple[Status, str]:
    if not flags:
        return Status.UNKNOWN, "The UPS does not tell its status"
    told = words[:1].upper() + words[1:]
    alarm = variables.get("ups.alarm", "")
    message = f"{told}: {alarm}" if alarm and "ALARM" in flags else told
    if any(flag in _DOWN for flag in flags):
        return Status.DOWN, message
    if any(flag in _DEGRADED for flag in flags) or "OL" not in flags:
        return Status.DEGRADED, message
    return Status.UP, ""


def _metrics(flags: list[str], variables: Mapping[str, str]) -> Iterator[Metric]:
    for name, variable, unit in _METRICS:
        if variable in variables:
            yield Metric(name, _number(variables[variable]), unit)
    if "ups.realpower" not in variables:
        nominal, load = _number(variables.get("ups.realpower.nominal")), _number(variables.get("ups.load"))
        if nominal is not None and load is not None:
            yield Metric("power", nominal * load / 100, "watt")
    yield Metric("on.battery", float("OB" in flags) if flags else None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
