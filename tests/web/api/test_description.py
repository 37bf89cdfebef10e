"""The API keeps to its own OpenAPI description, whatever it is sent."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.web.security.tokens import new_token, token_hash
from tests.support import factories
from tests.web.serving import served

pytestmark = pytest.mark.usefixtures("types")
EXAMPLES = 8
"""For each operation; the same ones in every run."""
HELD = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


async def rows_to_find(owner: asyncpg.Connection) -> None:
    """One row of most kinds, with ids that are guessed at once."""
    guild = await factories.guild(owner, id=1)
    dashboard = await factories.dashboard(owner, id=1, guild_id=guild["id"])
    await factories.component(owner, id=1, dashboard_id=dashboard["id"])
    await factories.data_source(owner, id=1)
    await factories.action(owner, id=1)
    await factories.command(owner, id=1)
    await factories.grant(owner, id=1, subject_type="user", subject_id=2**62)
    await factories.setting(owner, key="0", value=5)


async def test_every_operation_keeps_to_the_description(app: FastAPI, owner: asyncpg.Connection) -> None:
    await rows_to_find(owner)
    token = new_token()
    user = await factories.user(owner, role="admin")
    await factories.api_token(owner, user_id=user["id"], role="admin", token_hash=token_hash(token))
    headers = {"Authorization": f"Bearer {token}"}
    async with served(app) as address:
        described = await asyncio.to_thread(
            schemathesis.openapi.from_url, f"{address}/api/v1/openapi.json", headers=headers
        )
        operations, statuses = await asyncio.to_thread(check_all, described, headers)
    assert operations > 50
    assert {200, 201, 204, 404, 422} <= statuses.keys()


def check_all(described: OpenApiSchema, headers: dict[str, str]) -> tuple[int, Counter[int]]:
    """Send good and bad examples to every operation; how many operations there are, and the statuses answered."""
    checks = [check for check in CHECKS.get_all() if check.__name__ in HELD]
    assert len(checks) == len(HELD)
    count, statuses = 0, Counter[int]()
    for found in described.get_all_operations():
        operation = found.ok()
        count += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not operation.body and not operation.query:
                continue

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Case) -> None:
                statuses[case.call_and_validate(headers=headers, checks=checks).status_code] += 1

            send()
    return count, statuses
