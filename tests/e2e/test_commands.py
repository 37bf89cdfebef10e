"""Slash commands, built from rows."""

from __future__ import annotations

import discord

from tests.e2e.lab import Lab, answer_of, heading, text, text_of
from tests.support import factories
from tests.support.waiting import until

ALL = ("dashboard", "status", "sources")


async def test_the_commands_of_the_rows_are_synced_for_guilds_alone(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    (sync,) = lab.requests("PUT", "/commands")
    assert sorted(command["name"] for command in sync.json) == sorted(ALL)
    assert all(command["contexts"] == [0] for command in sync.json)


async def test_a_row_added_changed_and_removed_while_the_bot_runs(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Rack"), name="Rack", channel_id=None)
    row = await factories.command(
        lab.owner, name="rack", type="show_dashboard", description="Shows the rack", config={"dashboard": "Rack"}
    )
    await lab.until_synced(*ALL, "rack")

    answer = answer_of(await lab.alice.slash(lab.channel, "rack"))
    assert answer.ephemeral
    assert "Rack" in text_of(answer)

    await lab.owner.execute("UPDATE commands SET name = 'shelf' WHERE id = $1", row["id"])
    await lab.until_synced(*ALL, "shelf")
    await lab.owner.execute("DELETE FROM commands WHERE id = $1", row["id"])
    await lab.until_synced(*ALL)


async def test_broken_rows_are_left_out_and_the_others_work(lab: Lab) -> None:
    await factories.command(lab.owner, name="Not Allowed", type="status")
    await factories.command(lab.owner, name="long", type="status", description="x" * 101)
    await factories.command(lab.owner, name="odd", type="teleport")
    await factories.command(lab.owner, name="empty", type="show_dashboard", config={})
    await factories.command(lab.owner, name="health", type="status", description="The same as status")
    await lab.until_synced(*ALL, "health")


async def test_commands_are_synced_only_when_they_changed(lab: Lab) -> None:
    await lab.until_synced(*ALL)

    async def stored() -> bool:
        return bool(await lab.owner.fetchval("SELECT count(*) FROM bot_instances WHERE command_hash IS NOT NULL"))

    await until(stored, "the digest to be stored")
    await lab.restart()
    await lab.dashboard(heading("Up again"))
    await lab.until_shown("Up again")

    async def second() -> bool:
        count = await lab.owner.fetchval("SELECT count(*) FROM bot_instances WHERE command_hash IS NOT NULL")
        return bool(count == 2)

    await until(second, "the second process to know the digest")
    assert len(lab.requests("PUT", "/commands")) == 1


async def test_dashboard_list_says_where_they_are_shown(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Servers"), name="Servers", description="All of *them*")
    await lab.dashboard(name="Hidden", channel_id=None)
    await lab.until_shown("Servers")
    await lab.until_remembered()

    answer = answer_of(await lab.alice.slash(lab.channel, "dashboard list"))

    assert answer.ephemeral
    shown = text_of(answer)
    assert f"shown in <#{lab.channel.id}>" in shown
    assert r"All of \*them\*" in shown
    assert "not shown in a channel" in shown


async def test_dashboard_show_is_for_one_user_and_says_when_there_is_none(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Servers"), name="Servers", channel_id=None)
    await until(lambda: lab.alice.autocomplete(lab.channel, "dashboard show", "name", "serv"), "the dashboard")

    shown = answer_of(await lab.alice.slash(lab.channel, "dashboard show", name="servers"))
    assert shown.ephemeral
    assert "Servers" in text_of(shown)
    assert not lab.messages()

    missing = answer_of(await lab.alice.slash(lab.channel, "dashboard show", name="no*such"))
    assert missing.ephemeral
    assert r"There is no dashboard “no\*such” here" in text_of(missing)


async def test_autocomplete_offers_the_guilds_own_dashboards_and_pages(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await factories.dashboard(lab.owner, name="Of another guild")
    await lab.dashboard(text("a", page="CPU"), text("b", page="Disks"), name="Server", channel_id=None)
    await lab.dashboard(name="My servers", channel_id=None)

    async def both() -> bool:
        found = await lab.alice.autocomplete(lab.channel, "dashboard show", "name", "")
        return [choice["name"] for choice in found] == ["My servers", "Server"]

    await until(both, "both dashboards")
    typed = await lab.alice.autocomplete(lab.channel, "dashboard post", "name", "SERV")
    assert [choice["value"] for choice in typed] == ["Server", "My servers"], "what begins with it comes first"
    assert await lab.alice.autocomplete(lab.channel, "dashboard refresh", "name", "zzz") == []
    pages = await lab.alice.autocomplete(lab.channel, "dashboard show", "page", "", name="Server")
    assert [choice["value"] for choice in pages] == ["CPU", "Disks"]


async def test_dashboard_post_and_remove_need_the_permission_and_are_audited(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Servers"), name="Servers", channel_id=None)
    other = lab.guild.create_text_channel("other")

    async def known() -> bool:
        return bool(await lab.alice.autocomplete(lab.channel, "dashboard post", "name", "Servers"))

    await until(known, "the dashboard")
    refused = answer_of(await lab.alice.slash(lab.channel, "dashboard post", name="Servers"))
    assert refused.ephemeral
    assert "You may not do this" in text_of(refused)
    assert not lab.messages()

    posted = answer_of(await lab.ada.slash(lab.channel, "dashboard post", name="Servers", channel=other))
    assert f"is shown in <#{other.id}>" in text_of(posted)
    await lab.until_shown("Servers", other)
    await lab.until_remembered()

    here = answer_of(await lab.ada.slash(lab.channel, "dashboard post", name="Servers"))
    assert f"<#{lab.channel.id}>" in text_of(here)
    await lab.until_shown("Servers")
    await lab.until_remembered(2)

    removed = answer_of(await lab.ada.slash(lab.channel, "dashboard remove", name="Servers", channel=other))
    assert "no longer shown" in text_of(removed)
    await until(lambda: not lab.messages(other), "the message to go")
    assert lab.messages(), "the one in the other channel stays"
    again = answer_of(await lab.ada.slash(lab.channel, "dashboard remove", name="Servers", channel=other))
    assert "is not shown in" in text_of(again)

    assert [entry["outcome"] for entry in await lab.audit("dashboard.post")] == ["refused", "done", "done"]
    assert [entry["outcome"] for entry in await lab.audit("dashboard.remove")] == ["done", "failed"]


async def test_dashboard_post_names_the_permissions_that_the_bot_lacks(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Servers"), name="Servers", channel_id=None)
    silent = lab.guild.create_text_channel(
        "silent",
        overwrites={lab.guild.default_role: discord.PermissionOverwrite(send_messages=False, view_channel=True)},
    )

    async def told() -> bool:
        answer = answer_of(await lab.ada.slash(lab.channel, "dashboard post", name="Servers", channel=silent))
        return "lacks Send Messages" in text_of(answer)

    await until(told, "what is missing")
    assert not await lab.owner.fetchval("SELECT count(*) FROM dashboard_placements")


async def test_dashboard_post_says_what_discord_refuses(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.dashboard(heading("Servers"), name="Servers", channel_id=None)
    path = f"/channels/{lab.channel.id}/messages"
    lab.env.inject_error("POST", path, status=403, code=50013, message="Missing Permissions", times=None)
    await until(lambda: lab.ada.autocomplete(lab.channel, "dashboard post", "name", "Servers"), "the dashboard")

    answer = answer_of(await lab.ada.slash(lab.channel, "dashboard post", name="Servers"))

    assert "could not be shown" in text_of(answer)
    assert "permission" in text_of(answer)
    assert [entry["outcome"] for entry in await lab.audit("dashboard.post")] == ["failed"]
    listed = text_of(answer_of(await lab.ada.slash(lab.channel, "dashboard list")))
    assert f"⚠️ <#{lab.channel.id}>" in listed


async def test_dashboard_refresh_reads_anew(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.source(name="bot", type="bot", interval_seconds=3600)
    await lab.dashboard(text("Polls: {{ metric('bot', 'polls').value | int }}"), name="Bot", refresh_rate=3600)
    await lab.until_number_shown("Polls:")
    await lab.until_remembered()
    before = lab.shown()

    answer = answer_of(await lab.alice.slash(lab.channel, "dashboard refresh", name="Bot"))

    assert "its message will follow" in text_of(answer)
    await until(lambda: lab.shown() != before, "the new reading")


async def test_status_sums_up_the_lab(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.source(name="web", config={})
    await lab.source(name="nas", title="The *NAS*", config={"status": "down", "message": "No route to host"})

    async def summed_up() -> bool:
        shown = text_of(answer_of(await lab.alice.slash(lab.channel, "status")))
        return "1 source down" in shown and "1 up" in shown and "No route to host" in shown and r"The \*NAS\*" in shown

    await until(summed_up, "the status")


async def test_sources_lists_them_and_shows_one(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.source(
        name="nas", title="Storage", config={"metrics": [{"name": "disk", "value": 41, "unit": "percent"}]}
    )

    async def listed() -> bool:
        return "**Storage** up" in text_of(answer_of(await lab.alice.slash(lab.channel, "sources")))

    await until(listed, "the source")
    found = await lab.alice.autocomplete(lab.channel, "sources", "name", "stor")
    assert [(choice["name"], choice["value"]) for choice in found] == [("Storage", "nas")]
    assert "**41 %**" in text_of(answer_of(await lab.alice.slash(lab.channel, "sources", name="nas")))
    missing = answer_of(await lab.alice.slash(lab.channel, "sources", name="nope"))
    assert "There is no data source “nope”" in text_of(missing)


async def test_what_is_denied_is_neither_listed_nor_offered(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.source(name="nas", title="Storage", config={})
    await lab.source(name="safe", title="The safe", config={"status": "down", "message": "The door is open"})
    await lab.dashboard(heading("Open"), name="Open", channel_id=None)
    await lab.dashboard(heading("Closed"), name="Closed", channel_id=None)
    await factories.grant(lab.owner, subject_type="everyone", permission="source.view", scope="safe", effect="deny")
    await factories.grant(
        lab.owner, subject_type="everyone", permission="dashboard.view", scope="Closed", effect="deny"
    )

    async def hidden() -> bool:
        sources = await lab.alice.autocomplete(lab.channel, "sources", "name", "")
        boards = await lab.alice.autocomplete(lab.channel, "dashboard show", "name", "")
        return [choice["value"] for choice in [*sources, *boards]] == ["nas", "Open"]

    await until(hidden, "the denials to take effect")
    for command in ("sources", "status", "dashboard list"):
        shown = text_of(answer_of(await lab.alice.slash(lab.channel, command)))
        assert not [words for words in ("The safe", "The door is open", "Closed") if words in shown]
    refused = answer_of(await lab.alice.slash(lab.channel, "sources", name="safe"))
    assert "You may not do this" in text_of(refused)


async def test_sources_are_listed_while_nothing_reads_them(lab: Lab) -> None:
    await lab.until_synced(*ALL)
    await lab.owner.execute("DELETE FROM services WHERE name = 'collector'")
    await lab.stop_bot()
    await lab.owner.execute("DELETE FROM bot_instances")  # only now: a last heartbeat would bring the row back
    await lab.start_bot()
    await lab.source(name="nas", title="Storage", config={})

    async def ready() -> bool:
        return bool(await lab.owner.fetchval("SELECT count(*) FROM bot_instances WHERE command_hash IS NOT NULL"))

    await until(ready, "the commands of the new process")

    async def listed() -> bool:
        return "Storage" in text_of(answer_of(await lab.alice.slash(lab.channel, "sources")))

    await until(listed, "the source")
