"""Tries out data sources for the web admin: the bot alone reaches the lab."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.application.runtime.storable import storable
from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.readings.source import DataSource
from app.bot.domain.readings.source_tests import SourceTest, SourceTestResult
from app.bot.domain.repositories import SourceTestRepository

log = structlog.get_logger(__name__)

TestSource = Callable[[DataSource, Integration | None], Awaitable[SourceTestResult]]
"""Reads a source once. Raises HomelabError."""
_NAME = "tested"
_LONGEST_SECONDS = 120.0
_AT_A_TIME = 8


class SourceTests:
    """Answers the tests that are asked for. Each is run by one bot, once, and always answered."""

    def __init__(self, definitions: DefinitionCache, tests: SourceTestRepository, test_source: TestSource) -> None:
        self._definitions = definitions
        self._tests = tests
        self._test = test_source
        self._running: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_A_TIME)

    def start(self, test_id: int) -> None:
        """Run a test in the background."""
        task = asyncio.create_task(self._run(test_id), name=f"source test {test_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, test_id: int) -> None:
        try:
            async with self._slots:
                test = await self._tests.take(test_id)
                if test is not None:
                    await self._tests.answer(test_id, await self._result(test))
        except Exception as error:  # noqa: BLE001  # the guarded edge: no one awaits this task
            log.warning("a test of a data source could not be answered", reason=describe_fault(error))

    async def _result(self, test: SourceTest) -> dict[str, Any]:
        source = DataSource(0, _NAME, test.type, config=test.config)
        integration = self._definitions.source_types.get(test.type)
        if test.integration is not None:
            integration = Integration(
                test.type,
                config_schema=test.integration.get("config_schema", {}),
                definition=test.integration.get("definition"),
            )
        seconds = min(test.timeout_seconds, _LONGEST_SECONDS)
        try:
            result = await asyncio.wait_for(self._test(source, integration), seconds)
        except TimeoutError:
            result = SourceTestResult(None, f"No answer within {seconds:g} s")
        except HomelabError as error:
            result = SourceTestResult(None, str(error))
        except Exception as error:  # noqa: BLE001  # a fault of the type: its text may hold a secret
            result = SourceTestResult(None, describe_fault(error))
        return await asyncio.to_thread(_storable, result)


def _storable(result: SourceTestResult) -> dict[str, Any]:
    reading = storable(result.reading) if result.reading is not None else None
    return SourceTestResult(reading, result.error, result.requests, result.answers, result.missing).to_json()
