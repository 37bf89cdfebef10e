"""Who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import (
    ACTION_RUN,
    DASHBOARD_REFRESH,
    DASHBOARD_VIEW,
    Decision,
    PermissionGrant,
    Reason,
    explain,
    permission_problem,
    require,
    scope_problem,
    scopes_of,
    scopes_of_action,
)

GUILD, USER, ROLE = 1, 2, 3


def actor(**more: Any) -> Actor:
    return Actor(USER, "ada", GUILD, 9, **{"role_ids": frozenset({ROLE}), **more})


def grant(**more: Any) -> PermissionGrant:
    return PermissionGrant(**{"id": 1, "permission": ACTION_RUN, "subject_type": "everyone", **more})


def allowed(*grants: PermissionGrant, who: Actor | None = None, permission: str = ACTION_RUN, scope: str = "x") -> bool:
    try:
        require(grants, who or actor(), permission, scopes_of("action", scope))
    except PermissionRefusedError:
        return False
    return True


@pytest.mark.parametrize("permission", [DASHBOARD_VIEW, DASHBOARD_REFRESH])
def test_looking_is_free(permission: str) -> None:
    assert allowed(permission=permission)


def test_everything_else_needs_a_grant_or_manage_server() -> None:
    assert not allowed()
    assert allowed(who=actor(manages_guild=True))
    assert allowed(grant())


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"subject_type": "role", "subject_id": ROLE}, True),
        ({"subject_type": "role", "subject_id": 99}, False),
        ({"subject_type": "user", "subject_id": USER}, True),
        ({"subject_type": "user", "subject_id": 99}, False),
        ({"subject_type": "unheard-of"}, False),
        ({"guild_id": GUILD}, True),
        ({"guild_id": 99}, False),
        ({"scope": "x"}, True),
        ({"scope": "y"}, False),
        ({"scope": "action:x"}, True),
        ({"scope": "action:*"}, True),
        ({"scope": "source:x"}, False),
        ({"scope": "dashboard:*"}, False),
        ({"permission": "*"}, True),
        ({"permission": "other"}, False),
    ],
)
def test_a_grant_concerns_whom_and_what_it_names(subject: dict[str, Any], expected: bool) -> None:
    assert allowed(grant(**subject)) is expected


def test_a_deny_wins_over_every_allow_and_over_manage_server() -> None:
    deny = grant(effect="deny", subject_type="user", subject_id=USER)
    assert not allowed(grant(), deny)
    assert not allowed(deny, who=actor(manages_guild=True))
    assert not allowed(grant(permission=DASHBOARD_VIEW, effect="deny"), permission=DASHBOARD_VIEW)


def test_the_refusal_says_what_and_who_can_help() -> None:
    with pytest.raises(PermissionRefusedError, match=r"action\.run on plex.*Manage Server can grant it"):
        require((), actor(), ACTION_RUN, scopes_of("action", "plex"), "plex")


def test_an_action_upon_a_source_is_covered_by_the_sources_scope() -> None:
    action = ActionDefinition(1, "restart", "docker_restart", config={"source": "nas"})
    assert explain([grant(scope="source:nas")], actor(), ACTION_RUN, scopes_of_action(action)).allowed
    assert not explain([grant(scope="source:other")], actor(), ACTION_RUN, scopes_of_action(action)).allowed
    denied = [grant(scope="action:restart"), grant(id=2, scope="source:nas", effect="deny")]
    assert explain(denied, actor(), ACTION_RUN, scopes_of_action(action)).grant == denied[1]
    chosen = ActionDefinition(1, "restart", "docker_restart", config={"source": "${params.source}"})
    assert "source:*" not in scopes_of_action(chosen)
    assert "source:nas" in scopes_of_action(chosen, {"source": "nas"})


def test_a_decision_says_why() -> None:
    one, deny = grant(), grant(id=2, effect="deny", subject_type="role", subject_id=ROLE)
    scopes = scopes_of("action", "x")
    assert explain([one], actor(), ACTION_RUN, scopes) == Decision(allowed=True, reason=Reason.GRANTED, grant=one)
    assert explain([one, deny], actor(), ACTION_RUN, scopes).grant == deny
    assert explain([], actor(manages_guild=True), ACTION_RUN, scopes).reason is Reason.MANAGES
    assert explain([], actor(), DASHBOARD_VIEW, scopes).reason is Reason.DEFAULT
    assert explain([], actor(), ACTION_RUN, scopes).reason is Reason.NOT_GRANTED


@pytest.mark.parametrize("scope", ["*", "plex", "action:plex", "source:*", "Rack: left", "dashboard:Main board"])
def test_scopes_that_are_right(scope: str) -> None:
    assert scope_problem(scope) is None


@pytest.mark.parametrize(("scope", "word"), [("", "empty"), ("acton:plex", "acton"), ("action:", "action:*")])
def test_scopes_that_are_wrong(scope: str, word: str) -> None:
    assert word in (scope_problem(scope) or "")


def test_permissions_that_are_unknown_are_told_with_those_that_are_known() -> None:
    assert permission_problem("*") is None
    assert permission_problem("action.run") is None
    assert "action.run" in (permission_problem("action.rum") or "")
