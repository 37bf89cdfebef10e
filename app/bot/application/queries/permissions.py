"""Who may do what, and why: what /permissions shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.bot.application.rendering.answers import card
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.blocks.block import Block, Separator, Text, View
from app.bot.domain.formatting.markdown import escape_markdown, inline_code
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import (
    ACTION_RUN,
    COMMAND_RUN,
    DASHBOARD_MANAGE,
    DASHBOARD_REFRESH,
    DASHBOARD_VIEW,
    PERMISSION_VIEW,
    PERMISSIONS,
    SOURCE_VIEW,
    Decision,
    PermissionGrant,
    Reason,
    explain,
    require,
    scopes_of,
    scopes_of_action,
)

_SHOWN = 25
"""Things of one permission that are listed; a longer list is no answer any more."""


class Permissions:
    """Explains the grants. Everybody may ask about themselves; about others, who has permission.view."""

    def __init__(self, definitions: DefinitionCache) -> None:
        self._definitions = definitions

    def overview(self, asking: Actor, about: Actor, title: str, permission: str | None = None) -> View:
        """Return what `about` may do, for each permission or for one, and why. Raises PermissionRefusedError."""
        if (asking.user_id, asking.guild_id) != (about.user_id, about.guild_id):
            require(self._definitions.grants, asking, PERMISSION_VIEW)
        blocks: list[Block] = [Text(f"### 🔑 {title}")]
        wanted = [permission] if permission is not None and permission in PERMISSIONS else list(PERMISSIONS)
        for name in wanted:
            blocks += [Separator(), Text(self._about(about, name))]
        return card(blocks)

    def _about(self, actor: Actor, permission: str) -> str:
        """One permission: in general, and each thing for which it is otherwise."""
        grants = self._definitions.grants
        general = explain(grants, actor, permission)
        lines = [f"{_mark(general)} **{PERMISSIONS[permission]}** (`{permission}`): {_why(general)}"]
        decisions = [(label, explain(grants, actor, permission, scopes)) for label, scopes in self._things(permission)]
        others = [(label, found) for label, found in decisions if found != general]
        lines += [f"-# {_mark(found)} {escape_markdown(label)}: {_why(found)}" for label, found in others[:_SHOWN]]
        if len(others) > _SHOWN:
            lines.append(f"-# and {len(others) - _SHOWN} more")
        return "\n".join(lines)

    def _things(self, permission: str) -> Iterator[tuple[str, frozenset[str]]]:
        """Return what a permission can be about: a name to show, and its scopes."""
        known = self._definitions
        lists: dict[str, Callable[[], Iterator[tuple[str, frozenset[str]]]]] = {
            ACTION_RUN: lambda: ((one.label, scopes_of_action(one)) for one in known.actions.values()),
            SOURCE_VIEW: lambda: ((one.label, scopes_of("source", one.name)) for one in known.sources.values()),
            COMMAND_RUN: lambda: ((f"/{one.name}", scopes_of("command", one.name)) for one in known.commands.values()),
            **dict.fromkeys(
                (DASHBOARD_VIEW, DASHBOARD_REFRESH, DASHBOARD_MANAGE),
                lambda: ((one.name, scopes_of("dashboard", one.name)) for one in known.dashboards.values()),
            ),
        }
        return lists[permission]() if permission in lists else iter(())


def _mark(decision: Decision) -> str:
    return "✅" if decision.allowed else "⛔"


def _why(decision: Decision) -> str:
    match decision.reason:
        case Reason.MANAGES:
            return "has Manage Server"
        case Reason.DEFAULT:
            return "looking is free"
        case Reason.NOT_GRANTED:
            return "nothing grants it"
        case Reason.DENIED | Reason.GRANTED:
            verb = "denied" if decision.reason is Reason.DENIED else "granted"
            return f"{verb} to {_whom(decision.grant)}" if decision.grant is not None else verb


def _whom(grant: PermissionGrant) -> str:
    whom = {"role": f"<@&{grant.subject_id}>", "user": f"<@{grant.subject_id}>"}.get(grant.subject_type, "everyone")
    about = "" if grant.scope == "*" else f" on {inline_code(grant.scope)}"
    return f"{whom}{about} (grant {grant.id})"
