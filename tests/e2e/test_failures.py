"""What goes wrong, and is survived."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web
from structlog.testing import capture_logs

from app import logs
from tests.e2e.lab import SERVICES, Lab, answer_of, heading, page_select, refresh_button, text, text_of
from tests.support import factories
from tests.support.local_servers import http_server
from tests.support.waiting import until


async def test_a_restart_posts_nothing_edits_nothing_and_buttons_still_work(lab: Lab) -> None:
    await lab.dashboard(
        heading("Servers"), text("one", page="A"), text("two", page="B"), page_select("A", "B"), refresh_button()
    )
    message = await lab.until_shown("one")
    await lab.alice.select(message, ["B"])
    await lab.until_remembered()
    posts, edits = lab.posts, lab.edits

    await lab.restart()
    await lab.dashboard(heading("Second"), name="Second")  # once this is shown, the first was looked at too
    await lab.until_shown("Second")
    await lab.until_remembered(2)

    assert lab.edits == edits
    assert lab.posts == posts + 1
    assert "two" in lab.shown()
    await lab.alice.select(message, ["A"])
    assert "one" in lab.shown()
    assert (await lab.alice.click(message, label="Refresh")).acknowledged


async def test_a_message_sent_but_not_remembered_is_adopted(lab: Lab) -> None:
    """What kill -9 leaves between posting and remembering: a row without a message, and the message."""
    row = await lab.dashboard(heading("Servers"))
    message = await lab.until_shown("Servers")
    await lab.until_remembered()
    await lab.stop_bot()
    await lab.owner.execute(
        "UPDATE dashboard_messages SET state = 'posting', message_id = NULL, content_hash = NULL, posted_at = NULL"
    )
    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1", row["id"], {"text": "Computers"}
    )

    await lab.start_bot()

    assert (await lab.until_shown("Computers")).id == message.id
    (placement,) = await lab.until_remembered()
    assert placement["message_id"] == message.id
    assert len(lab.messages()) == 1


async def test_a_deleted_message_is_posted_anew(lab: Lab) -> None:
    await lab.dashboard(heading("Servers"))
    message = await lab.until_shown("Servers")
    await lab.until_remembered()

    moderator = lab.guild.create_role("Moderators")
    lab.env.backend.get_guild(lab.guild.id).roles[moderator.id].permissions = 1 << 13  # Manage Messages
    bob = lab.guild.add_member(lab.env.create_user("bob"), roles=[moderator])
    await bob.delete(message)

    await until(lambda: lab.messages() and lab.messages()[0].id != message.id, "a new message")
    assert len(lab.messages()) == 1


async def test_a_message_deleted_while_the_bot_was_away_is_posted_anew(lab: Lab) -> None:
    row = await lab.dashboard(heading("Servers"))
    message = await lab.until_shown("Servers")
    await lab.until_remembered()
    await lab.stop_bot()
    lab.env.backend.delete_message(lab.channel.id, message.id)
    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1", row["id"], {"text": "Computers"}
    )

    await lab.start_bot()

    assert (await lab.until_shown("Computers")).id != message.id
    assert len(lab.messages()) == 1


async def test_a_deleted_channel_stops_its_dashboard_and_no_other(lab: Lab) -> None:
    doomed = lab.guild.create_text_channel("doomed")
    await lab.dashboard(heading("Lost"), channel_id=doomed.id)
    other = await lab.dashboard(heading("Kept"))
    await lab.until_shown("Lost", doomed)
    await lab.until_shown("Kept")
    await lab.until_remembered(2)

    lab.env.backend.delete_channel(doomed.id)

    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1", other["id"], {"text": "Still kept"}
    )
    await lab.until_shown("Still kept")

    async def gone() -> bool:
        state = await lab.owner.fetchval(
            "SELECT state FROM dashboard_messages AS message JOIN dashboard_placements AS placement "
            "ON placement.id = message.placement_id WHERE channel_id = $1",
            doomed.id,
        )
        return state not in ("posted", "posting")

    await until(gone, "the placement in the deleted channel to be given up")


async def test_discords_own_failures_are_survived(lab: Lab) -> None:
    lab.env.inject_error("POST", f"/channels/{lab.channel.id}/messages", status=500, times=2)
    row = await lab.dashboard(heading("Servers"))
    message = await lab.until_shown("Servers")

    lab.env.inject_error("PATCH", f"/channels/{lab.channel.id}/messages/*", status=503, times=2)
    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1", row["id"], {"text": "Computers"}
    )

    assert (await lab.until_shown("Computers")).id == message.id
    assert len(lab.messages()) == 1


async def test_an_answer_that_discord_refuses_harms_nobody(lab: Lab) -> None:
    await lab.dashboard(heading("Servers"), refresh_button())
    message = await lab.until_shown("Servers")
    lab.env.inject_error("POST", "/interactions/*", status=500, times=1)

    await lab.alice.click(message, label="Refresh")

    assert (await lab.alice.click(message, label="Refresh")).acknowledged


async def test_a_lost_database_connection_is_made_anew_and_all_is_reloaded(lab: Lab) -> None:
    row = await lab.dashboard(heading("Servers"), refresh_button())
    message = await lab.until_shown("Servers")
    await lab.until_remembered()

    # One transaction: nobody listens when the change is announced.
    async with lab.owner.transaction():
        await lab.owner.execute(
            "UPDATE dashboard_components SET config = $2 WHERE dashboard_id = $1 AND type = 'heading'",
            row["id"],
            {"text": "Computers"},
        )
        ended = await lab.owner.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE usename = 'homelab_bot' AND datname = current_database()"
        )
    assert ended >= 1

    assert (await lab.until_shown("Computers")).id == message.id
    assert (await lab.alice.click(message, label="Refresh")).acknowledged
    await lab.owner.execute("UPDATE dashboard_components SET config = $1 WHERE type = 'heading'", {"text": "Machines"})
    await lab.until_shown("Machines")


async def test_a_new_column_is_a_template_value_at_once_and_no_error(lab: Lab) -> None:
    row = await lab.dashboard(heading("Lab"), text("Team: {{ dashboard.team | default('nobody', true) }}"))
    await lab.until_shown("Team: nobody")

    with capture_logs() as lines:
        await lab.owner.execute("ALTER TABLE dashboards ADD COLUMN team text")
        await lab.owner.execute("UPDATE dashboards SET team = 'blue' WHERE id = $1", row["id"])
        await lab.until_shown("Team: blue")
        await lab.owner.execute("ALTER TABLE dashboards ADD COLUMN rack text DEFAULT 'R7'")
        await lab.owner.execute(
            "UPDATE dashboard_components SET config = $1 WHERE type = 'text'", {"text": "Rack: {{ dashboard.rack }}"}
        )
        await lab.until_shown("Rack: R7")
    assert [line for line in lines if line["log_level"] in ("error", "critical", "warning")] == []


async def test_a_missing_table_switches_off_one_feature(lab: Lab) -> None:
    await lab.dashboard(heading("Lab"), refresh_button())
    message = await lab.until_shown("Lab")
    await lab.owner.execute("ALTER TABLE actions RENAME TO hidden")
    await lab.restart()
    assert (await lab.alice.click(message, label="Refresh")).acknowledged
    await lab.dashboard(heading("Goes on"), name="Goes on")
    await lab.until_shown("Goes on")


async def test_a_service_switched_off_in_the_table_is_said_plainly(lab: Lab) -> None:
    await lab.until_synced("dashboard", "status", "sources")
    await lab.dashboard(heading("Servers"), name="Servers")
    await lab.until_shown("Servers")

    await lab.owner.execute("UPDATE services SET enabled = false WHERE name = 'publisher'")

    async def said() -> bool:
        answer = answer_of(await lab.ada.slash(lab.channel, "dashboard post", name="Servers"))
        return "The publisher is not running" in text_of(answer)

    await until(said, "a plain sentence")
    await lab.owner.execute("UPDATE services SET enabled = true WHERE name = 'publisher'")
    await lab.owner.execute("UPDATE dashboard_components SET config = $1", {"text": "Computers"})
    await lab.until_shown("Computers")


async def test_the_bot_says_that_it_lives(lab: Lab) -> None:
    async def beat() -> bool:
        row = await lab.owner.fetchrow("SELECT * FROM bot_instances WHERE guild_count = 1")
        return row is not None and row["application_id"] == lab.env.backend.application_id and "edits" in row["metrics"]

    await lab.owner.execute("UPDATE services SET config = $1 WHERE name = 'heartbeat'", {"interval_seconds": 1})
    await until(beat, "a heartbeat")

    async def running() -> bool:
        rows = await lab.owner.fetch("SELECT status FROM service_states")
        return [row["status"] for row in rows] == ["running"] * len(SERVICES)

    await until(running, "all services to run")


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Everything that is logged at the finest level, as the product's own configuration writes it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    stream = io.StringIO()
    logs.configure_logging("DEBUG", "json", stream)
    yield stream
    root.setLevel(level)
    root.handlers = handlers
    structlog.reset_defaults()


async def test_no_secret_gets_into_a_log_a_message_or_the_database(log_lines: io.StringIO, lab: Lab) -> None:
    hidden = "tr0ub4dor-and-3"

    async def parrot(request: web.Request) -> web.Response:
        return web.Response(status=500, text=f"wrong: {request.headers.get('Authorization')}")

    async with http_server(parrot) as address:
        await factories.secret(lab.owner, lab.box, hidden, name="api")
        await lab.source(
            name="api",
            type="http_json",
            config={"url": f"{address}/?key=${{secret:api}}", "headers": {"Authorization": "Bearer ${secret:api}"}},
        )
        await lab.dashboard(heading("Lab"), text("{{ status('api') }}: {{ message('api') }}"))
        await lab.until_shown("down: ")

        async def stored() -> str | None:
            state: str | None = await lab.owner.fetchval("SELECT source_states::text FROM source_states")
            return state

        state = await until(stored, "the state to be written")
    assert state is not None
    assert "data source is down" in log_lines.getvalue()
    for place in (log_lines.getvalue(), lab.shown(), state):
        assert hidden not in place
