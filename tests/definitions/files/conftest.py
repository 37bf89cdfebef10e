"""Files of definitions on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.cli.provision import config_models
from app.definitions.store import RecordStore, record_store
from app.shared.secrets import SecretBox
from tests.definitions.files.lab import Lab, make_template, open_lab
from tests.support.database import Server


@pytest.fixture(scope="session")
def store() -> RecordStore:
    return record_store(config_models(), SecretBox(Fernet.generate_key().decode()))


@pytest.fixture(scope="session")
def lab_template(postgres: Server) -> str:
    return asyncio.run(make_template(postgres))


@pytest.fixture
async def lab(postgres: Server, lab_template: str, store: RecordStore, tmp_path: Path) -> AsyncIterator[Lab]:
    """A database that knows the builtin types and holds no definition."""
    async with open_lab(postgres, lab_template, store, tmp_path) as lab:
        yield lab
