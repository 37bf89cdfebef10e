from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.web.security.tokens import new_token, token_hash
from tests.support import factories
from tests.web.browser import Browser

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_it_counts_what_there_is(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.component(owner)
    await factories.source_state(owner, status="down")
    await factories.bot_instance(owner, last_seen_at=datetime.now(UTC))
    await visitor.get("/login")
    await visitor.get("/dashboards/7/message")
    await visitor.get("/static/app.css")
    await visitor.get("/wp-admin.php")
    found = samples((await visitor.get("/metrics")).text)
    assert found["homelab_definitions", (("kind", "components"),)] == 1
    assert found["homelab_definitions", (("kind", "actions"),)] == 0
    assert found["homelab_source_states", (("status", "down"),)] == 1
    assert 0 <= found["homelab_bot_heartbeat_age_seconds", ()] < 3_600

    def requests(route: str, status: str) -> float:
        labels = (("method", "GET"), ("route", route), ("status", status))
        return found.get(("homelab_web_requests_total", labels), 0)

    assert requests("/login", "200") == 1
    assert requests("/static", "200") == 1
    assert requests("none", "303") >= 1


async def test_a_status_that_is_gone_is_no_longer_counted(visitor: Browser, owner: asyncpg.Connection) -> None:
    await factories.source_state(owner, status="down")
    await visitor.get("/metrics")
    await owner.execute("UPDATE source_states SET status = 'up'")
    found = samples((await visitor.get("/metrics")).text)
    assert ("homelab_source_states", (("status", "down"),)) not in found
    assert found["homelab_source_states", (("status", "up"),)] == 1


async def test_from_elsewhere_it_wants_a_token(open_browser: Callable[..., Browser], owner: asyncpg.Connection) -> None:
    remote = open_browser("192.0.2.7")
    refused = await remote.get("/metrics")
    assert refused.status_code == 401
    assert "homelab_" not in refused.text
    token = new_token()
    await factories.api_token(owner, token_hash=token_hash(token))
    assert (await remote.get("/metrics", headers={"Authorization": f"Bearer {token}"})).status_code == 200


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP"])
async def test_a_proxy_on_this_machine_is_not_this_machine(visitor: Browser, header: str) -> None:
    assert (await visitor.get("/metrics")).status_code == 200
    assert (await visitor.get("/metrics", headers={header: "192.0.2.7"})).status_code == 401
