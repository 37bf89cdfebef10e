"""Files become definitions: once, all of them or none."""

from __future__ import annotations

from app.configuration.plan import Verb
from tests.configuration.lab import Lab

GUILD = 1_300_000_000_000_000_777
WHOLE = f"""
    guild: My Lab
    guilds:
      - {{id: {GUILD}, name: My Lab, time_zone: Europe/Berlin, locale: de}}
    settings:
      - {{key: theme.accent, value: "#ff0000"}}
    data_sources:
      - name: nas
        type: http_json
        interval_seconds: 60
        config:
          url: https://nas.example/api
          headers: {{Authorization: "Bearer ${{secret:nas_token}}"}}
          metrics:
            - {{name: used, path: used}}
    services:
      - {{name: collector, type: collector}}
    actions:
      - {{name: read-nas, type: poll_source, config: {{source: nas}}}}
    commands:
      - {{name: lab, type: status, description: How the lab is doing}}
    component_types:
      - name: card
        config_schema: {{type: object, properties: {{label: {{type: string}}}}}}
        definition:
          components:
            - {{type: text, config: {{text: "${{params.label}}"}}}}
    permission_grants:
      - {{subject_type: role, subject_id: 42000, permission: action.run, scope: read-nas}}
      - {{guild: "*", subject_type: everyone, permission: dashboard.view}}
    dashboards:
      - name: Lab
        channel: 1300000000000000888
        components:
          - {{type: heading, name: Title, config: {{text: Hello}}}}
          - {{type: separator}}
          - {{type: card, name: Card, config: {{label: x}}}}
"""


async def test_a_file_becomes_rows(lab: Lab) -> None:
    plan = await lab.apply(WHOLE)
    assert plan.count(Verb.ADD) == len(plan.changes) == 13
    assert plan.missing_secrets == ("nas_token",)
    dashboard = await lab.owner.fetchrow("SELECT * FROM dashboards")
    assert dashboard is not None
    assert (dashboard["guild_id"], dashboard["channel_id"]) == (GUILD, 1_300_000_000_000_000_888)
    types = await lab.owner.fetch("SELECT type, name FROM dashboard_components ORDER BY position")
    assert [tuple(row) for row in types] == [("heading", "Title"), ("separator", ""), ("card", "Card")]
    grants = await lab.owner.fetch("SELECT guild_id, scope FROM permission_grants ORDER BY id")
    assert [tuple(row) for row in grants] == [(GUILD, "read-nas"), (None, "*")]
    assert await lab.owner.fetchval("SELECT time_zone FROM guilds") == "Europe/Berlin"


async def test_the_second_time_nothing_changes(lab: Lab) -> None:
    await lab.apply(WHOLE)
    before = await lab.rows()
    plan = await lab.apply(WHOLE, prune=True)
    assert plan.changes == plan.prunable == ()
    assert plan.unchanged == 13
    assert await lab.rows() == before


async def test_a_dry_run_changes_nothing_and_says_what_would_be(lab: Lab) -> None:
    before = await lab.rows()
    plan = await lab.apply(WHOLE, dry_run=True)
    assert await lab.rows() == before
    assert plan == await lab.apply(WHOLE)


async def test_what_is_exported_and_applied_to_another_database_is_the_same(lab: Lab) -> None:
    await lab.apply(WHOLE)
    text = await lab.export_text()
    assert "ciphertext" not in text
    before = await lab.rows()
    assert (await lab.apply(text, prune=True)).changes == ()
    assert await lab.rows() == before
