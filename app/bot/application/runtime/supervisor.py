"""Services: rows become running tasks, kept running by a supervisor that follows the rows at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel

from app.bot.application.runtime.definitions import DefinitionCache, Table
from app.bot.domain.components.component import parse_config
from app.bot.domain.errors import HomelabError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.registry import Registry
from app.bot.domain.repositories import ServiceRepository
from app.bot.domain.services import ServiceDefinition, ServiceStatus
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.wakeable_sleep import WakeableSleep

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 3_600.0
_STORE_AGAIN_SECONDS = 5.0

Config = TypeVar("Config", bound=BaseModel)
Found = TypeVar("Found")


class ServiceOffError(HomelabError):
    """A service that is needed does not run; the text says which, and where to switch it on."""


class Service(Protocol):
    """A long-running part of the bot."""

    async def run(self) -> None:
        """Work until cancelled. May be called again after it failed or was cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceType(Generic[Config]):
    """What a service can be: the model of its config, and how it is made from one."""

    config: type[Config]
    make: Callable[[Config], Service]


class ServiceBuilder:
    """Builds services from rows: by type through the registry, by row through the type's config model."""

    def __init__(self, types: Registry[ServiceType[Any]]) -> None:
        self._types = types

    def build(self, definition: ServiceDefinition) -> Service:
        """The service of a row. Raises UnknownTypeError or InvalidConfigError."""
        kind = self._types[definition.type]
        return kind.make(parse_config(kind.config, definition.config, f"Config of the service “{definition.name}”"))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a failing service is started again, in seconds: the pause doubles from `first` to `last`.

    A service that ran for `steady` seconds counts as well again.
    """

    first: float = 1.0
    last: float = 60.0
    steady: float = 5.0


@dataclass(slots=True, eq=False)
class _Unit:
    """A row that is supervised. `unsaved` until its status stands in the database."""

    definition: ServiceDefinition
    service: Service | None = None
    task: asyncio.Task[None] | None = None
    running: bool = False
    status: ServiceStatus = ServiceStatus.STOPPED
    error: str | None = None
    unsaved: bool = True

    def say(self, status: ServiceStatus, error: str | None = None) -> None:
        self.unsaved = self.unsaved or (status, error) != (self.status, self.error)
        self.status, self.error = status, error


class Supervisor:
    """Makes what runs follow the rows of services, and restarts what fails."""

    def __init__(
        self, definitions: DefinitionCache, builder: ServiceBuilder, states: ServiceRepository, pace: Pace | None = None
    ) -> None:
        self._definitions = definitions
        self._builder = builder
        self._states = states
        self._pace = pace or Pace()
        self._units: dict[int, _Unit] = {}
        self._sleep = WakeableSleep()
        self._storing = Outage(log, "the status of services cannot be stored; they run on")
        definitions.subscribe(Table.SERVICES, lambda _changed: self._sleep.wake())

    def find(self, kind: type[Found]) -> Found | None:
        """The running service of this class, or None while there is none."""
        services = (unit.service for unit in self._units.values() if unit.running)
        return next((service for service in services if isinstance(service, kind)), None)

    def need(self, kind: type[Found], name: str) -> Found:
        """The running service of this class, which users know as `name`. Raises ServiceOffError."""
        service = self.find(kind)
        if service is None:
            raise ServiceOffError(
                f"The {name} is not running right now. Look at the services in the web admin, or try again shortly."
            )
        return service

    async def run(self) -> None:
        """Supervise until cancelled; then stop every service and wait for it."""
        try:
            while True:
                await self._reconcile()
                unsaved = any([not await self._save(unit) for unit in list(self._units.values())])
                await self._sleep.sleep(_STORE_AGAIN_SECONDS if unsaved else _IDLE_SECONDS)
        finally:
            await asyncio.gather(*(self._stop(unit) for unit in self._units.values()))
            for unit in self._units.values():
                await self._save(unit)
            self._units.clear()

    async def _reconcile(self) -> None:
        wanted = self._definitions.services
        for service_id, unit in list(self._units.items()):
            if _behaviour(wanted.get(service_id)) != _behaviour(unit.definition):
                await self._stop(unit)
                del self._units[service_id]
        taken = {unit.definition.type for unit in self._units.values() if unit.task is not None}
        for service_id, definition in sorted(wanted.items()):
            unit = self._units.setdefault(service_id, _Unit(definition))
            if unit.task is not None or not definition.enabled:
                continue
            if definition.type in taken:
                self._refuse(unit, f"Another service of the type “{definition.type}” runs already")
            elif self._start(unit):
                taken.add(definition.type)

    def _start(self, unit: _Unit) -> bool:
        try:
            service = self._builder.build(unit.definition)
        except HomelabError as error:
            self._refuse(unit, str(error))
            return False
        unit.service = service
        unit.say(ServiceStatus.RUNNING)
        unit.task = asyncio.create_task(self._keep_running(unit, service), name=unit.definition.name)
        return True

    def _refuse(self, unit: _Unit, reason: str) -> None:
        """A definition that cannot run waits for a better one."""
        if unit.error != reason:
            log.warning("service cannot run", service=unit.definition.name, reason=reason)
        unit.say(ServiceStatus.FAILED, reason)

    async def _keep_running(self, unit: _Unit, service: Service) -> None:
        backoff = Backoff(self._pace.first, self._pace.last)
        name = unit.definition.name
        outage = Outage(
            log, "service is down; starting it again", "service is up again", level=logging.ERROR, service=name
        )
        while True:
            running = asyncio.create_task(service.run(), name=unit.definition.name)
            unit.running = True
            try:
                await asyncio.wait({running}, timeout=self._pace.steady)
                if not running.done():
                    backoff.reset()
                    outage.recover()
                    unit.say(ServiceStatus.RUNNING)
                    self._sleep.wake()
                    await asyncio.wait({running})
            finally:
                unit.running = False
                await _end(running)
            reason = _reason(running)
            outage.fail(reason)
            unit.say(ServiceStatus.FAILED, reason)
            self._sleep.wake()
            await asyncio.sleep(backoff.next())

    async def _stop(self, unit: _Unit) -> None:
        if unit.task is not None:
            await _end(unit.task)
            unit.say(ServiceStatus.STOPPED)

    async def _save(self, unit: _Unit) -> bool:
        """Whether the status stands in the database now. One that cannot be stored is no reason to stop a service."""
        if unit.unsaved:
            status, error = unit.status, unit.error
            try:
                await self._states.save_status(unit.definition.id, status.value, error)
            except StorageUnavailableError:
                return False  # whoever listens for changes has logged that the database is away
            except HomelabError as refusal:
                self._storing.fail(str(refusal))
                return False
            self._storing.recover()
            unit.unsaved = (status, error) != (unit.status, unit.error)
        return not unit.unsaved


def _behaviour(definition: ServiceDefinition | None) -> tuple[str, Mapping[str, Any], bool] | None:
    """What makes a running service another one when it changes."""
    return None if definition is None else (definition.type, definition.config, definition.enabled)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _reason(task: asyncio.Task[None]) -> str:
    if task.cancelled():
        return "It was broken off"
    error = task.exception()
    if error is None:
        return "It ended by itself"
    return str(error) if isinstance(error, HomelabError) else describe_fault(error)
