from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from app.shared.secrets import SecretBox
from tests.support import factories
from tests.web.browser import PASSWORD, Browser, error_of, field_value, selected

pytestmark = pytest.mark.usefixtures("types")


def component(dashboard: asyncpg.Record, **values: Any) -> dict[str, Any]:
    config = values.pop("config", {"source": "host", "metric": "cpu"})
    text = config if isinstance(config, str) else json.dumps(config)
    return {"dashboard_id": dashboard["id"], "type": "metric", "config": text, "enabled": "on", **values}


async def test_saving_a_component_takes_effect(admin: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    announced: list[dict[str, Any]] = []
    await owner.add_listener("homelab_changes", lambda *message: announced.append(json.loads(message[-1])))
    answer = await admin.post("/admin/components/create", component(dashboard, name="CPU", page="", position=""))
    assert answer.status_code == 303, error_of(answer.text, "config")
    row = await owner.fetchrow("SELECT * FROM dashboard_components")
    assert (row["type"], row["config"], row["name"], row["page"]) == (
        "metric",
        {"source": "host", "metric": "cpu"},
        "CPU",
        None,
    )
    await owner.fetchval("SELECT 1")
    assert {
        "table": "dashboard_components",
        "id": row["id"],
        "op": "INSERT",
        "parent": dashboard["id"],
    } in announced


async def test_an_error_names_the_field_and_what_was_typed_stays(admin: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    config = {"source": "host", "metric": "cpu", "decimals": 99, "thresholds": {"warning": "high"}}
    typed = component(dashboard, name="My <name>", page="Two", position="7", config=config)
    answer = await admin.post("/admin/components/create", typed)
    assert answer.status_code == 422
    assert error_of(answer.text, "config").splitlines() == [
        "config.decimals: must be at most 6",
        "config.thresholds.warning: must be a number or empty",
    ]
    assert json.loads(field_value(answer.text, "config")) == config
    assert selected(answer.text, "type") == "metric"
    assert selected(answer.text, "dashboard_id") == str(dashboard["id"])
    assert [field_value(answer.text, name) for name in ("name", "page", "position")] == ["My <name>", "Two", "7"]
    assert await owner.fetchval("SELECT count(*) FROM dashboard_components") == 0


async def test_what_the_schema_cannot_say_is_checked_too(admin: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    config = {"source": "host", "metric": "cpu", "thresholds": {"warning": 90, "critical": 80}}
    answer = await admin.post("/admin/components/create", component(dashboard, config=config))
    assert error_of(answer.text, "config") == "config.thresholds: critical must lie above warning"


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"config": "{broken"}, "config", "config: this is no JSON (line 1, column 2)"),
        ({"config": "[1]"}, "config", "config: input should be a valid dictionary"),
        ({"type": "nonsense"}, "type", "type: there is no type “nonsense”"),
        ({"dashboard_id": "999999"}, "dashboard_id", "dashboard_id: there is no such dashboard"),
        ({"position": "first"}, "position", "position: input should be a valid integer"),
        ({"name": "a\x00b"}, "name", "name: holds a character that is no text"),
    ],
)
async def test_each_wrong_field_says_what_is_wrong(
    admin: Browser, owner: asyncpg.Connection, typed: dict[str, str], field: str, message: str
) -> None:
    dashboard = await factories.dashboard(owner)
    answer = await admin.post("/admin/components/create", {**component(dashboard), **typed})
    assert answer.status_code == 422
    assert error_of(answer.text, field).lower().startswith(message.lower())
    if field == "config":
        assert field_value(answer.text, "config") == typed["config"]


async def test_editing_changes_what_was_changed_and_says_so(admin: Browser, owner: asyncpg.Connection) -> None:
    row = await factories.component(owner, type="heading", config={"text": "Hello"}, name="Title")
    form = (await admin.get(f"/admin/components/edit?pk={row['id']}")).text
    assert json.loads(field_value(form, "config")) == {"text": "Hello"}
    values = {
        name: field_value(form, name) or selected(form, name)
        for name in ("dashboard_id", "position", "name", "page", "type")
    }
    answer = await admin.post(
        f"/admin/components/edit?pk={row['id']}", {**values, "config": '{"text": "Bye"}', "enabled": "on"}
    )
    assert answer.status_code == 303
    changed = await owner.fetchrow("SELECT * FROM dashboard_components")
    assert (changed["config"], changed["name"], changed["enabled"]) == ({"text": "Bye"}, "Title", True)
    logged = await owner.fetchrow("SELECT * FROM audit_log WHERE action = 'components.update'")
    assert logged["actor_type"] == "web"
    assert logged["actor_id"] == str(admin.user_id)
    assert logged["outcome"] == "done"
    assert logged["detail"] == {"before": {"config": {"text": "Hello"}}, "after": {"config": {"text": "Bye"}}}


async def test_saving_without_a_change_writes_nothing(admin: Browser, owner: asyncpg.Connection) -> None:
    row = await factories.action(owner, type="refresh", title="Again")
    values = {"name": row["name"], "title": "Again", "type": "refresh", "config": "{}", "enabled": "on"}
    assert (await admin.post(f"/admin/actions/edit?pk={row['id']}", values)).status_code == 303
    assert await owner.fetchval("SELECT updated_at FROM actions") == row["updated_at"]
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action LIKE 'actions.%'") == 0


async def test_a_duplicate_is_an_error_at_the_name(admin: Browser, owner: asyncpg.Connection) -> None:
    await factories.data_source(owner, name="nas")
    values = {"name": "nas", "type": "static", "config": '{"values": {}}', "interval_seconds": "30"}
    answer = await admin.post("/admin/data-sources/create", values)
    assert answer.status_code == 422
    assert error_of(answer.text, "name") == "name: another data source has this name already"


async def test_a_dashboard_offers_channels_by_name_and_checks_the_server(
    admin: Browser, owner: asyncpg.Connection
) -> None:
    guild = await factories.guild(owner, name="Lab")
    other = await factories.channel(owner, name="elsewhere")
    channel = await factories.channel(owner, guild_id=guild["id"], name="status")
    form = (await admin.get("/admin/dashboards/create")).text
    assert f'<option value="{channel["id"]}" >#status (Lab)</option>' in form
    values = {"name": "Main", "guild_id": guild["id"], "refresh_rate": "15", "layout": '{"accent": "status"}'}
    wrong = await admin.post("/admin/dashboards/create", {**values, "channel_id": other["id"]})
    assert error_of(wrong.text, "channel_id") == "channel_id: #elsewhere belongs to another server"
    wrong = await admin.post("/admin/dashboards/create", {**values, "layout": '{"accent": "pink"}'})
    assert error_of(wrong.text, "layout").startswith("layout.accent: ")
    answer = await admin.post("/admin/dashboards/create", {**values, "channel_id": channel["id"], "enabled": "on"})
    assert answer.status_code == 303
    row = await owner.fetchrow("SELECT * FROM dashboards")
    assert (row["channel_id"], row["layout"], row["renew_after"]) == (channel["id"], {"accent": "status"}, None)


async def test_a_value_that_is_no_longer_offered_stays_chosen(admin: Browser, owner: asyncpg.Connection) -> None:
    row = await factories.component(owner, type="teleport", config={})
    form = (await admin.get(f"/admin/components/edit?pk={row['id']}")).text
    assert selected(form, "type") == "teleport"
    assert "teleport (unknown)" in form


async def test_secrets_go_in_and_never_come_out(
    admin: Browser, owner: asyncpg.Connection, secret_box: SecretBox
) -> None:
    value = "correct.horse.token"
    assert (await admin.post("/admin/secrets/create", {"name": "discord_token", "value": value})).status_code == 303
    row = await owner.fetchrow("SELECT * FROM secrets")
    assert secret_box.open(row["ciphertext"]) == value
    kept = {"name": "renamed", "value": ""}
    assert (await admin.post(f"/admin/secrets/edit?pk={row['id']}", kept)).status_code == 303
    again = await owner.fetchrow("SELECT * FROM secrets")
    assert (again["name"], again["ciphertext"]) == ("renamed", row["ciphertext"])
    new = {"name": "renamed", "value": "another.value"}
    assert (await admin.post(f"/admin/secrets/edit?pk={row['id']}", new)).status_code == 303
    assert secret_box.open(await owner.fetchval("SELECT ciphertext FROM secrets")) == "another.value"
    await admin.post("/admin/secrets/create", {"name": "bad name!", "value": "refused.value"})
    log = await owner.fetchval("SELECT string_agg(audit_log::text, ' ') FROM audit_log")
    paths = ["list", f"edit?pk={row['id']}", f"detail?pk={row['id']}"]
    shown = "".join([(await admin.get(f"/admin/secrets/{path}")).text for path in paths])
    shown += (await admin.get("/admin/audit-log/list")).text
    for hidden in (value, "another.value", "refused.value", row["ciphertext"].decode()):
        assert hidden not in log
        assert hidden not in shown


async def test_users_are_managed_by_admins_but_the_last_admin_stays(admin: Browser, owner: asyncpg.Connection) -> None:
    values = {"username": "Bert", "role": "editor", "password": PASSWORD, "enabled": "on"}
    assert (await admin.post("/admin/users/create", values)).status_code == 303
    assert await owner.fetchval("SELECT role FROM users WHERE username = 'bert'") == "editor"
    short = await admin.post("/admin/users/create", {**values, "username": "carl", "password": "short"})
    assert error_of(short.text, "password") == "password: must have at least 10 characters"
    name = await owner.fetchval("SELECT username FROM users WHERE id = $1", admin.user_id)
    demoted = {"username": name, "role": "viewer", "password": "", "enabled": "on"}
    answer = await admin.post(f"/admin/users/edit?pk={admin.user_id}", demoted)
    assert error_of(answer.text, "role") == "role: this is the last admin; make another user admin first"
    gone = await admin.http.post(
        f"/admin/_api/users/row-action?pk={admin.user_id}&name=delete", headers={"X-CSRFToken": admin.form_token}
    )
    assert gone.status_code == 400
    assert "last admin" in gone.text
    assert await owner.fetchval("SELECT count(*) FROM users") == 2


async def test_deleting_is_audited(editor: Browser, owner: asyncpg.Connection) -> None:
    row = await factories.action(owner, name="wake", type="refresh")
    answer = await editor.http.post(
        f"/admin/_api/actions/row-action?pk={row['id']}&name=delete", headers={"X-CSRFToken": editor.form_token}
    )
    assert answer.status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM actions") == 0
    logged = await owner.fetchrow("SELECT action, target FROM audit_log WHERE action LIKE 'actions.%'")
    assert tuple(logged) == ("actions.delete", f"action {row['id']} “wake”")
