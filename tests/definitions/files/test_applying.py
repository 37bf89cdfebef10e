"""Files become definitions: once, all of them or none."""

from __future__ import annotations

import asyncio

from cryptography.fernet import Fernet

from app.definitions.files.plan import Verb
from app.shared.secrets import SecretBox
from tests.definitions.files.lab import Lab
from tests.support import factories

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


async def ids(lab: Lab) -> dict[str, int]:
    rows = await lab.owner.fetch("SELECT id, type, name FROM dashboard_components ORDER BY position, id")
    return {f"{row['type']} {row['name']}".strip(): row["id"] for row in rows}


LIST = """
    guild: {guild}
    dashboards:
      - name: Lab
        components:
          {components}
"""
A = "- {type: heading, name: A, config: {text: a}}"
B = "- {type: buttons, name: B, config: {buttons: [{label: Go, do: refresh}]}}"
C = "- {type: separator}"


def dashboard(*components: str) -> str:
    return LIST.replace("{guild}", str(GUILD)).replace("{components}", "\n          ".join(components))


async def test_components_keep_their_rows(lab: Lab) -> None:
    await factories.guild(lab.owner, id=GUILD, name="My Lab")
    await lab.apply(dashboard(A, B, C))
    first = await ids(lab)

    moved = await lab.apply(dashboard(C, B.replace("Go", "Now"), A))
    assert await ids(lab) == first
    assert list(await ids(lab)) == ["separator", "buttons B", "heading A"]
    assert {change.verb for change in moved.changes} <= {Verb.CHANGE, Verb.SHIFT}

    await lab.apply(dashboard(C, B.replace("Go", "Now").replace("name: B", "name: Press"), A))
    assert await ids(lab) == {
        "separator": first["separator"],
        "buttons Press": first["buttons B"],
        "heading A": first["heading A"],
    }

    inserted = await lab.apply(dashboard("- {type: heading, name: New, config: {text: n}}", C, A))
    assert [change.verb for change in inserted.changes if change.verb is not Verb.SHIFT] == [Verb.ADD]
    assert [change.subject for change in inserted.prunable] == ["dashboard “Lab” › buttons “Press”"]
    assert len(await ids(lab)) == 4

    pruned = await lab.apply(dashboard("- {type: heading, name: New, config: {text: n}}", C, A), prune=True)
    assert pruned.count(Verb.REMOVE) == 1
    assert list(await ids(lab)) == ["heading New", "separator", "heading A"]


async def test_a_dashboard_without_the_field_keeps_its_components(lab: Lab) -> None:
    await factories.guild(lab.owner, id=GUILD, name="My Lab")
    await lab.apply(dashboard(A, B))
    plan = await lab.apply("guild: My Lab\ndashboards:\n  - {name: Lab, refresh_rate: 30}\n", prune=True)
    assert [str(found) for change in plan.changes for found in change.differences] == ["refresh_rate: 15 → 30"]
    assert len(await ids(lab)) == 2


async def test_pruning_stays_within_what_the_files_are_about(lab: Lab) -> None:
    await lab.apply(WHOLE)
    other = await factories.guild(lab.owner, name="Other")
    await factories.dashboard(lab.owner, guild_id=other["id"], name="Theirs")
    await factories.grant(lab.owner, guild_id=other["id"])
    await factories.user(lab.owner)
    builtin = "SELECT count(*) FROM component_types WHERE kind = 'builtin'"
    count = await lab.owner.fetchval(builtin)

    sections = ("dashboards", "permission_grants", "commands", "settings", "component_types", "guilds")
    text = "guild: My Lab\n" + "".join(f"{section}: []\n" for section in sections)
    kept = await lab.apply(text)
    assert kept.changes == ()
    assert len(kept.prunable) == 5
    plan = await lab.apply(text, prune=True)
    assert [change.subject for change in plan.changes] == [
        "permission grant: allow action.run on read-nas to role 42000 of My Lab",
        "dashboard “Lab” of My Lab",
        "command “lab”",
        "component type “card”",
        "setting “theme.accent”",
    ]
    assert await lab.owner.fetchval("SELECT name FROM dashboards") == "Theirs"
    assert await lab.owner.fetchval("SELECT count(*) FROM permission_grants") == 2
    assert await lab.owner.fetchval("SELECT count(*) FROM guilds") == 2
    assert await lab.owner.fetchval("SELECT count(*) FROM data_sources") == 1
    assert await lab.owner.fetchval("SELECT count(*) FROM settings WHERE key = 'catalog.seeded'") == 1
    assert await lab.owner.fetchval(builtin) == count
    assert await lab.owner.fetchval("SELECT count(*) FROM users") == 1


async def test_a_type_that_is_used_is_not_pruned(lab: Lab) -> None:
    await lab.apply(WHOLE)
    found = await lab.problems("component_types: []\n", prune=True)
    assert len(found) == 1
    assert found[0].startswith("lab.yaml:1: component type “card”: cannot be deleted while it is used by")


async def test_types_that_come_along_are_neither_exported_nor_removed_until_somebody_changes_them(lab: Lab) -> None:
    await lab.owner.execute("DELETE FROM data_source_types WHERE kind = 'integration' AND name <> 'pihole'")
    assert "data_source_types" not in await lab.export()
    assert (await lab.apply("data_source_types: []\n", prune=True)).changes == ()
    await lab.owner.execute("UPDATE data_source_types SET title = 'Mine' WHERE name = 'pihole'")
    (found,) = (await lab.export())["data_source_types"]
    assert (found["name"], found["title"]) == ("pihole", "Mine")
    assert (await lab.apply("data_source_types: []\n", prune=True)).count(Verb.REMOVE) == 1


async def test_types_may_come_in_any_order(lab: Lab) -> None:
    text = """
        component_types:
          - {name: outer, definition: {components: [{type: inner}]}}
          - {name: inner, definition: {components: [{type: separator}]}}
    """
    await lab.apply(text)
    turned = """
        component_types:
          - {name: inner, definition: {components: [{type: outer}]}}
          - {name: outer, definition: {components: [{type: separator}]}}
    """
    assert (await lab.apply(turned)).count(Verb.CHANGE) == 2
    assert (await lab.apply("component_types: []\n", prune=True)).count(Verb.REMOVE) == 2


async def test_who_applied_is_told(lab: Lab) -> None:
    await lab.apply("settings: [{key: a, value: true}]\n")
    entry = await lab.owner.fetchrow("SELECT * FROM audit_log")
    assert entry is not None
    assert (entry["actor_type"], entry["actor_id"], entry["action"]) == ("cli", "", "settings.create")
    revision = await lab.owner.fetchrow("SELECT * FROM revisions WHERE table_name = 'settings' AND row_key = 'a'")
    assert revision is not None
    assert revision["actor_type"] == "cli"
    assert (await lab.apply("settings: [{key: a, value: 1}]\n")).count(Verb.CHANGE) == 1


async def test_a_plan_hides_what_could_be_a_secret(lab: Lab) -> None:
    text = """
        data_sources:
          - name: nas
            type: http_json
            config:
              url: "https://me:hunter2@nas.example"
              headers: {Authorization: hunter2}
              metrics: [{name: a, path: a}]
    """
    assert "hunter2" not in str(await lab.apply(text))
    changed = await lab.apply(text.replace("hunter2", "hunter3"))
    assert "hunter" not in str(changed)
    assert len(changed.changes[0].differences) == 2


async def test_servers_and_channels_by_name(lab: Lab) -> None:
    await factories.guild(lab.owner, id=GUILD, name="My Lab")
    channel = await factories.channel(lab.owner, guild_id=GUILD, name="status")
    await lab.apply(
        "dashboards: [{guild: My Lab, name: A, channel: '#status'}, {guild: My Lab, name: B, channel: status}]\n"
    )
    assert {row[0] for row in await lab.owner.fetch("SELECT channel_id FROM dashboards")} == {channel["id"]}
    assert len((await lab.export("My Lab"))["dashboards"]) == 2


async def test_the_name_of_a_server_is_discords(lab: Lab) -> None:
    await factories.guild(lab.owner, id=GUILD, name="New name")
    plan = await lab.apply(
        f"guild: Old name\nguilds: [{{id: {GUILD}, name: Old name, locale: de}}]\ndashboards: [{{name: A}}]\n"
    )
    assert plan.count(Verb.ADD) == 1
    row = await lab.owner.fetchrow("SELECT name, locale FROM guilds")
    assert row is not None
    assert tuple(row) == ("New name", "de")


async def test_files_include_others_and_name_their_server_once(lab: Lab) -> None:
    await factories.guild(lab.owner, id=GUILD, name="My Lab")
    main = lab.write("guild: My Lab\ninclude: [boards/*.yaml, more.yaml]\n", "main.yaml")
    lab.write("dashboards: [{name: A}]\n", "boards/a.yaml")
    lab.write("include: ../more.yaml\ndashboards: [{name: B, refresh_rate: '${env:RATE:-20}'}]\n", "boards/b.yaml")
    lab.write("commands: [{name: x, type: status, description: How it is}]\n", "more.yaml")
    assert (await lab.apply(main)).count(Verb.ADD) == 3
    assert (await lab.apply(lab.folder)).changes == ()
    assert (await lab.apply(main, variables={"RATE": "30"})).count(Verb.CHANGE) == 1


async def test_circles_and_ways_out_of_the_folder_are_refused(lab: Lab) -> None:
    lab.write("include: b.yaml\n", "in/a.yaml")
    lab.write("include: a.yaml\n", "in/b.yaml")
    assert await lab.problems(lab.folder / "in") == [
        "in/b.yaml:1: include: includes a.yaml, which includes this file: a circle"
    ]
    outside = lab.write("commands: [{name: x, type: status}]\n", "outside.yaml")
    lab.write("", "in/b.yaml")
    (lab.folder / "in/link.yaml").symlink_to(outside)
    lab.write("include: link.yaml\n", "in/a.yaml")
    found = await lab.problems(lab.folder / "in")
    assert [said.partition(": ")[0] for said in found] == ["in/a.yaml:1", "in/link.yaml:1"]


async def test_missing_secrets_are_named(lab: Lab) -> None:
    box = SecretBox(Fernet.generate_key().decode())
    await factories.secret(lab.owner, box, "s", name="there")
    text = "secrets: [listed]\nsettings: [{key: a, value: ['${secret:there}', 'x ${secret:used} ${secret:listed}']}]\n"
    assert (await lab.apply(text)).missing_secrets == ("listed", "used")
    assert (await lab.export())["secrets"] == ["listed", "there", "used"]


async def test_somebody_elses_change_is_waited_for(lab: Lab) -> None:
    """Another transaction changes the same row while the plan is made: the plan is made again."""
    await lab.apply("settings: [{key: a, value: 1}]\n")
    async with lab.owner.transaction():
        await lab.owner.execute("UPDATE settings SET value = '2' WHERE key = 'a'")
        applying = asyncio.create_task(lab.apply("settings: [{key: a, value: 3}]\n"))
        while not await lab.owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):  # noqa: ASYNC110  # PostgreSQL tells nobody that it waits
            await asyncio.sleep(0.01)
    plan = await applying
    assert [str(found) for found in plan.changes[0].differences] == ["value: 2 → 3"]
