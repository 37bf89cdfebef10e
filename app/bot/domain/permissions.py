"""Who may do what: rows of permission_grants decide, at the moment of the click.

A grant names a permission and a scope. A scope is `*` for all, or one thing: `restart-nginx`, or with its kind
`action:restart-nginx`, `source:nas`, `dashboard:main`, `command:lights`; `action:*` is every action. What an action
does to a data source is covered by that source's scope too. A deny wins over every allow, however exact that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.components.placeholders import fill_known
from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor

DASHBOARD_VIEW = "dashboard.view"
DASHBOARD_REFRESH = "dashboard.refresh"
DASHBOARD_MANAGE = "dashboard.manage"
SOURCE_VIEW = "source.view"
ACTION_RUN = "action.run"
COMMAND_RUN = "command.run"
PERMISSION_VIEW = "permission.view"
AUDIT_VIEW = "audit.view"

PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        DASHBOARD_VIEW: "look at dashboards",
        DASHBOARD_REFRESH: "have dashboards read again",
        DASHBOARD_MANAGE: "post and remove dashboards",
        SOURCE_VIEW: "look at data sources",
        ACTION_RUN: "run actions",
        COMMAND_RUN: "use commands that are restricted",
        PERMISSION_VIEW: "see who may do what",
        AUDIT_VIEW: "see who did what",
    }
)
"""Every permission, and what it lets people do."""

KINDS = ("action", "source", "dashboard", "command")
"""What a scope can be about."""
ALL = "*"

ALLOWED_BY_DEFAULT = frozenset({DASHBOARD_VIEW, DASHBOARD_REFRESH, SOURCE_VIEW})
"""Looking is free (a refresh only looks again); everything else needs a grant or Discord's Manage Server."""


class Reason(StrEnum):
    """Why someone may or may not do something."""

    DENIED = "denied"
    GRANTED = "granted"
    MANAGES = "manages"
    DEFAULT = "default"
    NOT_GRANTED = "not_granted"


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """A row of permission_grants: `subject_type` everyone, role or user; `scope` as the module says."""

    id: int
    permission: str
    subject_type: str
    subject_id: int | None = None
    guild_id: int | None = None
    scope: str = ALL
    effect: str = "allow"
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def is_about(self, actor: Actor) -> bool:
        """Whether this grant speaks of this actor."""
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

    def concerns(self, actor: Actor, permission: str, scopes: Iterable[str]) -> bool:
        """Whether this grant speaks about this actor doing this to something that has these scopes."""
        if self.permission not in (permission, ALL) or not self.is_about(actor):
            return False
        return self.scope == ALL or self.scope in scopes


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether someone may do something, why, and the grant that decided it, if one did."""

    allowed: bool
    reason: Reason
    grant: PermissionGrant | None = None


def scopes_of(kind: str, name: str, sources: Iterable[str] = ()) -> frozenset[str]:
    """Return the scopes that cover one thing; `sources` are the data sources that it acts upon."""
    upon = {scope for source in sources for scope in (f"source:{source}", "source:*")}
    return frozenset({name, f"{kind}:{name}", f"{kind}:{ALL}", *upon})


def scopes_of_action(action: ActionDefinition, values: Mapping[str, Any] = MappingProxyType({})) -> frozenset[str]:
    """Return the scopes that cover an action, with those of the source that it acts upon.

    Where a parameter says which source that is, it is known with the parameters' `values` only.
    """
    source = fill_known(action.config.get("source"), {"params": values} if values else {})
    if not isinstance(source, str) or "${" in source:  # a parameter may name any source
        return scopes_of("action", action.name)
    return scopes_of("action", action.name, [source])


def explain(grants: Iterable[PermissionGrant], actor: Actor, permission: str, scopes: Iterable[str] = ()) -> Decision:
    """Whether the actor may do this to something that has these scopes, and why.

    A deny wins over every allow, and over Discord's Manage Server too: a row that says no means no.
    """
    scopes = frozenset(scopes)
    concerning = [grant for grant in grants if grant.concerns(actor, permission, scopes)]
    denial = next((grant for grant in concerning if grant.effect == "deny"), None)
    if denial is not None:
        return Decision(allowed=False, reason=Reason.DENIED, grant=denial)
    allowance = next((grant for grant in concerning if grant.effect == "allow"), None)
    if allowance is not None:
        return Decision(allowed=True, reason=Reason.GRANTED, grant=allowance)
    if actor.manages_guild:
        return Decision(allowed=True, reason=Reason.MANAGES)
    if permission in ALLOWED_BY_DEFAULT:
        return Decision(allowed=True, reason=Reason.DEFAULT)
    return Decision(allowed=False, reason=Reason.NOT_GRANTED)


def allows(grants: Iterable[PermissionGrant], actor: Actor, permission: str, scopes: Iterable[str] = ()) -> bool:
    """Whether the actor may do this."""
    return explain(grants, actor, permission, scopes).allowed


def require(
    grants: Iterable[PermissionGrant], actor: Actor, permission: str, scopes: Iterable[str] = (), what: str = ""
) -> None:
    """Raise PermissionRefusedError unless the actor may do this; `what` names the thing in its text."""
    if not allows(grants, actor, permission, scopes):
        named = f"{permission} on {what}" if what else permission
        raise PermissionRefusedError(
            f"You may not do this ({named}). Someone with Manage Server can grant it to you or a role of yours."
        )


def permission_problem(permission: str) -> str | None:
    """Return what is wrong with the permission of a grant, or None."""
    if permission == ALL or permission in PERMISSIONS:
        return None
    return f"there is no permission “{permission[:100]}”; known: {', '.join(PERMISSIONS)}, and * for all"


def scope_problem(scope: str) -> str | None:
    """Return what is wrong with the scope of a grant, or None."""
    kind, colon, name = scope.partition(":")
    if not scope.strip():
        return "is empty; enter * for all, or what it is about, such as action:restart-nginx"
    if colon and kind not in KINDS and kind.isidentifier() and kind.islower() and not name.startswith(" "):
        return f"“{kind[:50]}” is no kind of thing; known: {', '.join(KINDS)}, such as action:restart-nginx"
    if colon and not name.strip():
        return f"names nothing; enter {kind}:* for all, or {kind}: and a name"
    return None
