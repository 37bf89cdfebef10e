from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.web.security.tokens import new_token, token_hash
from tests.support import factories
from tests.web.browser import Browser

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
async def call(owner: asyncpg.Connection, visitor: Browser) -> Call:
    secret = new_token()
    user = await factories.user(owner, role="editor")
    await factories.api_token(owner, user_id=user["id"], name="script", role="editor", token_hash=token_hash(secret))

    async def send(method: str, path: str, body: Any = None) -> Any:
        return await visitor.http.request(
            method, f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {secret}"}
        )

    return send
