from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.integrations.source import IntegrationSource, open_integration
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.secrets import UnknownSecretError
from app.bot.infrastructure.sources import Resources

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        "url": {"type": "string"},
        "user": {"type": "string", "default": ""},
        "key": {"type": "string", "default": ""},
    },
}


class Secrets:
    """Secrets in memory."""

    def __init__(self) -> None:
        self.values = {"key": "s3cr3t/k+ey", "other": "0th3r-s3cr3t"}

    async def get(self, name: str) -> str:
        if name not in self.values:
            raise UnknownSecretError(f"There is no secret “{name}”. Enter it in the web admin.")
        return self.values[name]


@pytest.fixture
async def resources() -> AsyncIterator[Resources]:
    async with make_session() as session:
        yield Resources(session, Secrets(), Statistics())


Open = Callable[..., IntegrationSource]


@pytest.fixture
def open_source(resources: Resources) -> Open:
    """Opens a source of a type with this definition; the rest is its config."""

    def opened(definition: Mapping[str, Any], schema: Mapping[str, Any] = SCHEMA, **config: Any) -> IntegrationSource:
        whole = {"url": "${params.url}", **definition}
        type_ = Integration("tested", config_schema=schema, definition=whole)
        return open_integration(type_, DataSource(1, "tested", "tested", config=config), resources)

    return opened
