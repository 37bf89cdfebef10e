"""Rows of services are followed at once: what they switch on runs, and is kept running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from app.bot.application.runtime.definitions import DefinitionCache, Table
from app.bot.application.runtime.service import Service
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
    task: asyncio.Task[None] | None = None
    status: ServiceStatus = ServiceStatus.STOPPED
    error: str | None = None
    unsaved: bool = True

    def say(self, status: ServiceStatus, error: str | None = None) -> None:
        self.unsaved = self.unsaved or (status, error) != (self.status, self.error)
        self.status, self.error = status, error


class Supervisor:
    """Configures, starts and stops the services as their rows say, and restarts what fails."""

    def __init__(
        self,
        definitions: DefinitionCache,
        services: Iterable[Service[Any]],
        states: ServiceRepository,
        pace: Pace | None = None,
    ) -> None:
        self._definitions = definitions
        self._services: Registry[Service[Any]] = Registry("service type")
        for service in services:
            self._services.register(service.name)(service)
        self._states = states
        self._pace = pace or Pace()
        self._units: dict[int, _Unit] = {}
        self._sleep = WakeableSleep()
        self._storing = Outage(log, "the status of services cannot be stored; they run on")
        definitions.subscribe(Table.SERVICES, lambda _changed: self._sleep.wake())

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
        definition = unit.definition
        try:
            service = self._services[definition.type]
            what = f"Config of the service “{definition.name}”"
            service.configure(parse_config(service.config_model, definition.config, what))
        except HomelabError as error:
            self._refuse(unit, str(error))
            return False
        unit.say(ServiceStatus.RUNNING)
        unit.task = asyncio.create_task(self._keep_running(unit, service), name=definition.name)
        return True

    def _refuse(self, unit: _Unit, reason: str) -> None:
        """Have a definition that cannot run wait for a better one."""
        if unit.error != reason:
            log.warning("service cannot run", service=unit.definition.name, reason=reason)
        unit.say(ServiceStatus.FAILED, reason)

    async def _keep_running(self, unit: _Unit, service: Service[Any]) -> None:
        backoff = Backoff(self._pace.first, self._pace.last)
        name = unit.definition.name
        outage = Outage(
            log, "service is down; starting it again", "service is up again", level=logging.ERROR, service=name
        )
        while True:
            running = asyncio.create_task(service.run(), name=unit.definition.name)
            service.is_running = True
            try:
                await asyncio.wait({running}, timeout=self._pace.steady)
                if not running.done():
                    backoff.reset()
                    outage.recover()
                    unit.say(ServiceStatus.RUNNING)
                    self._sleep.wake()
                    await asyncio.wait({running})
            finally:
                service.is_running = False
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
                return False  # the listener for changes has logged that the database is away
            except HomelabError as refusal:
                self._storing.fail(str(refusal))
                return False
            self._storing.recover()
            unit.unsaved = (status, error) != (unit.status, unit.error)
        return not unit.unsaved


def _behaviour(definition: ServiceDefinition | None) -> tuple[str, Mapping[str, Any], bool] | None:
    """Return what makes a running service another one when it changes."""
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
