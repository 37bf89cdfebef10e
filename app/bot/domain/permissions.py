"""Who may do what: rows of permission_grants decide, at the moment of the click."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor

DASHBOARD_VIEW = "dashboard.view"
DASHBOARD_REFRESH = "dashboard.refresh"
DASHBOARD_MANAGE = "dashboard.manage"
SOURCE_VIEW = "source.view"
ACTION_RUN = "action.run"

ALLOWED_BY_DEFAULT = frozenset({DASHBOARD_VIEW, DASHBOARD_REFRESH, SOURCE_VIEW})
"""Looking is free (a refresh only looks again); everything else needs a grant or Discord's Manage Server."""


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """A row of permission_grants: `subject_type` everyone, role or user; `scope` a name or * for all."""

    id: int
    permission: str
    subject_type: str
    subject_id: int | None = None
    guild_id: int | None = None
    scope: str = "*"
    effect: str = "allow"
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def concerns(self, actor: Actor, permission: str, scope: str) -> bool:
        """Whether this grant speaks about this actor doing this."""
        if self.permission not in (permission, "*") or self.scope not in (scope, "*"):
            return False
        if self.guild_id is not None and self.guild_id != actor.guild_id:
            return False
        match self.subject_type:
            case "everyone":
                return True
            case "role":
                return self.subject_id in actor.role_ids
            case "user":
                return self.subject_id == actor.user_id
            case _:
                return False


def allows(grants: Iterable[PermissionGrant], actor: Actor, permission: str, scope: str = "*") -> bool:
    """Whether the actor may do this.

    A deny wins over every allow, and over Discord's Manage Server too: a row that says no means no.
    """
    effects = {grant.effect for grant in grants if grant.concerns(actor, permission, scope)}
    allowed = "allow" in effects or actor.manages_guild or permission in ALLOWED_BY_DEFAULT
    return allowed and "deny" not in effects


def require(grants: Iterable[PermissionGrant], actor: Actor, permission: str, scope: str = "*") -> None:
    """Raise PermissionRefusedError unless the actor may do this."""
    if not allows(grants, actor, permission, scope):
        what = permission if scope == "*" else f"{permission} on {scope}"
        raise PermissionRefusedError(
            f"You may not do this ({what}). Someone with Manage Server can grant it to you or a role of yours."
        )
