"""A call from outside is on the dashboard at once."""

from __future__ import annotations

from app.web.security.tokens import token_hash
from tests.e2e.lab import Lab


async def test_a_call_is_shown_before_the_next_poll(lab: Lab) -> None:
    await lab.dashboard({"type": "metric", "config": {"source": "backup", "metric": "files", "label": "Files"}})
    source = await lab.source(name="backup", type="push", config={"every_seconds": 86_400}, interval_seconds=3600)
    await lab.until_shown("no data")
    await lab.owner.execute(
        "INSERT INTO pushes (data_source_id, token_hash, called_at, metrics) VALUES ($1, $2, now(), $3)",
        source["id"],
        token_hash("token"),
        {"files": 4711},
    )
    await lab.until_shown("4,711")
    await lab.owner.execute("UPDATE pushes SET called_at = now(), metrics = $1", {"files": 4712})
    await lab.until_shown("4,712")
