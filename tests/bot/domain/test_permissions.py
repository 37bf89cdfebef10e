"""Who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import ACTION_RUN, DASHBOARD_REFRESH, DASHBOARD_VIEW, PermissionGrant, require

GUILD, USER, ROLE = 1, 2, 3


def actor(**more: Any) -> Actor:
    return Actor(USER, "ada", GUILD, 9, **{"role_ids": frozenset({ROLE}), **more})


def grant(**more: Any) -> PermissionGrant:
    return PermissionGrant(**{"id": 1, "permission": ACTION_RUN, "subject_type": "everyone", **more})


def allowed(*grants: PermissionGrant, who: Actor | None = None, permission: str = ACTION_RUN, scope: str = "x") -> bool:
    try:
        require(grants, who or actor(), permission, scope)
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
        require((), actor(), ACTION_RUN, "plex")
