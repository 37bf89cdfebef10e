"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from simcord import Env

from tests.e2e import openapi
from tests.e2e.lab import Lab
from tests.support.database import Database


@pytest.fixture
async def lab(database: Database, owner: asyncpg.Connection) -> AsyncIterator[Lab]:
    """A running lab. At the end: the bot raised nothing, and each body it sent is one that Discord describes."""
    lab = Lab(database, owner)
    try:
        await lab.start()
        yield lab
    finally:
        if hasattr(lab, "env"):
            await lab.stop()
    lab.env.raise_errors()
    if openapi.available():
        openapi.check_bodies(lab.env.http_requests)


@pytest.fixture
def env(lab: Lab) -> Env:
    """The simulated Discord; SimCord's plugin adds its transcript to the report of a test that fails."""
    return lab.env
