"""Files of definitions on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.configuration.store import record_store
from app.provision import config_models
from app.shared.secrets import SecretBox
from app.web.records.store import RecordStore
from tests.configuration.lab import Lab, open_lab
from tests.database import Server


@pytest.fixture(scope="session")
def store() -> RecordStore:
    return record_store(config_models(), SecretBox(Fernet.generate_key().decode()))


@pytest.fixture
async def lab(postgres: Server, store: RecordStore, tmp_path: Path) -> AsyncIterator[Lab]:
    """A database that knows the builtin types and holds no definition."""
    async with open_lab(postgres, store, tmp_path) as lab:
        yield lab
