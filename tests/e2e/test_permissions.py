"""Who may do what: checked at the click, explained by /permissions, and told by /audit."""

from __future__ import annotations

from typing import Any

from tests.e2e.lab import Lab, answer_of, heading, text_of
from tests.support import factories
from tests.support.waiting import until

BUTTON = {
    "type": "buttons",
    "config": {"buttons": [{"label": "Read", "do": "action", "action": "read"}]},
}


async def lab_with_action(lab: Lab) -> Any:
    """A dashboard with a button that reads a source."""
    await lab.source(name="nas", config={"metrics": [{"name": "disk", "value": 42}]})
    await factories.action(lab.owner, name="read", title="Read the NAS", type="poll_source", config={"source": "nas"})
    for name in ("permissions", "audit"):
        await factories.command(lab.owner, name=name, type=name, description=f"The {name}")
    await lab.until_synced("dashboard", "status", "sources", "permissions", "audit")
    await lab.dashboard(heading("Lab"), BUTTON)
    return await lab.until_shown("Lab")


async def refused(lab: Lab, message: Any) -> bool:
    result = await lab.alice.click(message, label="Read")
    if "You may not do this" in text_of(answer_of(result)):
        return True
    await lab.until_over(result)  # it is checked again when it begins, and a denial that comes before would count
    return False


async def until_told(lab: Lab, **columns: Any) -> int:
    """Add a grant, and wait until the bot knows it."""
    row = await factories.grant(lab.owner, **columns)
    await until(lambda: any(grant.id == row["id"] for grant in lab.definitions.grants), "the bot to know the grant")
    return int(row["id"])


async def until_forgotten(lab: Lab, grant_id: int) -> None:
    await lab.owner.execute("DELETE FROM permission_grants WHERE id = $1", grant_id)
    await until(lambda: all(grant.id != grant_id for grant in lab.definitions.grants), "the grant to be gone")


async def test_a_deny_beats_every_allow_and_both_hold_at_the_next_click(lab: Lab) -> None:
    message = await lab_with_action(lab)
    assert await refused(lab, message)
    await until_told(lab, subject_type="everyone", scope="action:read")
    assert not await refused(lab, message)
    deny = await until_told(lab, subject_type="user", subject_id=lab.alice.id, scope="source:nas", effect="deny")
    assert await refused(lab, message)
    await until_forgotten(lab, deny)
    assert not await refused(lab, message)
    told = "SELECT count(*) FROM action_runs WHERE state = 'refused' AND result LIKE 'You may not%'"
    assert await lab.owner.fetchval(told) == 2


async def test_a_denied_source_cannot_be_chosen_by_a_parameter(lab: Lab) -> None:
    await lab_with_action(lab)
    config = {"source": "${params.source}", "parameters": [{"name": "source"}]}
    await factories.action(lab.owner, name="any", title="Read any", type="poll_source", config=config)
    await factories.command(lab.owner, name="read", type="run_action", description="Read", config={"action": "any"})
    await lab.until_synced("dashboard", "status", "sources", "permissions", "audit", "read")
    await until_told(lab, subject_type="everyone", scope="action:any")
    await until_told(lab, subject_type="user", subject_id=lab.alice.id, scope="source:nas", effect="deny")
    result = await lab.alice.slash(lab.channel, "read", source="nas")
    await until(lambda: "You may not do this" in text_of(answer_of(result)), "the refusal")
    told = "SELECT count(*) FROM action_runs WHERE state = 'refused' AND result LIKE 'You may not%'"
    assert await lab.owner.fetchval(told) == 1


async def test_a_role_that_is_taken_away_counts_no_more(lab: Lab) -> None:
    message = await lab_with_action(lab)
    role = lab.guild.create_role("Operators")
    await until_told(lab, subject_type="role", subject_id=role.id)
    assert await refused(lab, message)
    lab.env.backend.add_member_role(lab.guild.id, lab.alice.id, role.id)
    assert not await refused(lab, message)
    lab.env.backend.remove_member_role(lab.guild.id, lab.alice.id, role.id)
    assert await refused(lab, message)


async def test_permissions_says_what_and_why(lab: Lab) -> None:
    await lab_with_action(lab)
    grant = await until_told(lab, subject_type="user", subject_id=lab.alice.id, scope="source:nas")
    mine = text_of(answer_of(await lab.alice.slash(lab.channel, "permissions")))
    assert "⛔ **run actions** (`action.run`): nothing grants it" in mine
    assert f"✅ Read the NAS: granted to <@{lab.alice.id}> on `source:nas` (grant {grant})" in mine
    assert "✅ **look at dashboards** (`dashboard.view`): looking is free" in mine
    theirs = text_of(answer_of(await lab.ada.slash(lab.channel, "permissions", permission="action.run")))
    assert "has Manage Server" in theirs
    assert "look at dashboards" not in theirs
    other = text_of(answer_of(await lab.ada.slash(lab.channel, "permissions", user=lab.alice)))
    assert "What alice may do" in other
    assert "nothing grants it" in other
    curious = text_of(answer_of(await lab.alice.slash(lab.channel, "permissions", user=lab.ada)))
    assert "You may not do this" in curious


async def test_audit_shows_runs_and_refusals_to_who_may_see_them(lab: Lab) -> None:
    message = await lab_with_action(lab)
    assert await refused(lab, message)
    await lab.until_over(await lab.ada.click(message, label="Read"))
    assert "You may not do this" in text_of(answer_of(await lab.alice.slash(lab.channel, "audit")))
    shown = text_of(answer_of(await lab.ada.slash(lab.channel, "audit")))
    assert f"✅ **Read the NAS** · <@{lab.ada.id}> in <#{lab.channel.id}>" in shown
    assert f"⛔ **Read the NAS** · <@{lab.alice.id}>" in shown
    only = text_of(answer_of(await lab.ada.slash(lab.channel, "audit", outcome="refused", since="hour")))
    assert "⛔" in only
    assert "✅" not in only
    assert "nothing further back" in text_of(answer_of(await lab.ada.slash(lab.channel, "audit", page=9))).lower()


async def test_a_command_shows_a_component_with_what_was_entered(lab: Lab) -> None:
    disks = [{"name": "sda", "used": 90}, {"name": "sdb", "used": 10}]
    await lab.source(name="nas", config={"metrics": [{"name": "disk", "value": 42}], "items": {"disks": disks}})
    await lab.source(name="secret", config={"metrics": [{"name": "plan", "value": 7}]})
    config = {
        "component": "metric",
        "config": {"source": "${options.what-of}", "metric": "${options.metric}", "label": "It is"},
        "options": [
            {"name": "what-of", "description": "Which source", "required": True},
            {"name": "metric", "description": "Which number", "default": "disk"},
            {
                "name": "disk",
                "description": "Which disk",
                "choices_from": {"source": "nas", "items": "disks", "value": "name"},
            },
        ],
    }
    await factories.command(lab.owner, name="number", type="show_component", description="A number", config=config)
    await lab.until_synced("dashboard", "status", "sources", "number")
    shown = text_of(answer_of(await lab.alice.slash(lab.channel, "number", **{"what-of": "nas"})))
    assert "42" in shown
    offered = await lab.alice.autocomplete(lab.channel, "number", "disk", "sd")
    assert [choice["value"] for choice in offered] == ["sda", "sdb"]
    await until_told(lab, permission="source.view", effect="deny", scope="source:secret")
    values = {"what-of": "secret", "metric": "plan"}
    assert "You may not do this" in text_of(answer_of(await lab.alice.slash(lab.channel, "number", **values)))
    await until_told(lab, permission="source.view", effect="deny", scope="nas")
    assert await lab.alice.autocomplete(lab.channel, "number", "disk", "sd") == []


async def test_a_restricted_command_needs_a_grant_and_a_refusal_is_recorded(lab: Lab) -> None:
    await lab.dashboard(heading("Rack"), name="Rack", channel_id=None)
    config = {"dashboard": "Rack", "restricted": True}
    await factories.command(lab.owner, name="rack", type="show_dashboard", description="The rack", config=config)
    await lab.until_synced("dashboard", "status", "sources", "rack")
    assert "You may not do this" in text_of(answer_of(await lab.alice.slash(lab.channel, "rack")))
    assert await lab.owner.fetchval("SELECT outcome FROM audit_log WHERE action = 'command.run'") == "refused"
    await until_told(lab, permission="command.run", scope="command:rack")
    assert "Rack" in text_of(answer_of(await lab.alice.slash(lab.channel, "rack")))


async def test_options_choose_a_dashboards_page(lab: Lab) -> None:
    await lab.dashboard(
        {**heading("First"), "page": "one"}, {**heading("Second"), "page": "two"}, name="Rack", channel_id=None
    )
    option = {"name": "page", "description": "Which page", "choices": [{"value": "two", "label": "The other"}]}
    config = {"dashboard": "Rack", "page": "${options.page}", "options": [option]}
    await factories.command(lab.owner, name="rack", type="show_dashboard", description="The rack", config=config)
    await lab.until_synced("dashboard", "status", "sources", "rack")
    assert "First" in text_of(answer_of(await lab.alice.slash(lab.channel, "rack")))
    assert "Second" in text_of(answer_of(await lab.alice.slash(lab.channel, "rack", page="two")))
