from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.readings.reading import Reading
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.secrets import UnknownSecretError
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import Authority


class Secrets:
    """Secrets in memory."""

    def __init__(self) -> None:
        self.values = {"token": "s3cr3t/t+ken", "password": "pass wörd"}

    async def get(self, name: str) -> str:
        if name not in self.values:
            raise UnknownSecretError(f"There is no secret “{name}”. Enter it in the web admin.")
        return self.values[name]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def resources(authority: Authority) -> AsyncIterator[Resources]:
    async with make_session(authority.trusted()) as session:
        yield Resources(session, Secrets(), Statistics())


Read = Callable[..., Awaitable[Reading]]


@pytest.fixture
def read(resources: Resources) -> Read:
    """Opens a source of a type with this config and reads it once."""

    async def read_once(type_name: str, **config: Any) -> Reading:
        reader = open_reader(DataSource(1, "tested", type_name, config=config), resources)
        try:
            return await reader.read()
        finally:
            await reader.close()

    return read_once
