"""Who did what: a line of the audit log for every decision that matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor, AuditEntry
from app.bot.domain.permissions import PermissionGrant, require
from app.bot.domain.repositories import AuditRepository


class Audit:
    """Writes what users of Discord did. Raises StorageUnavailableError: what cannot be recorded is not done."""

    def __init__(self, entries: AuditRepository) -> None:
        self._entries = entries

    async def record(
        self, actor: Actor, action: str, target: str, outcome: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """One line; `outcome` allowed, refused, failed or done."""
        await self._entries.record(
            AuditEntry("discord", str(actor.user_id), actor.name, actor.guild_id, action, target, outcome, detail or {})
        )

    async def require(
        self,
        grants: Iterable[PermissionGrant],
        actor: Actor,
        permission: str,
        scopes: Iterable[str],
        *,
        target: str,
        what: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Check a permission; record a refusal as `what` (default: the permission). Raises PermissionRefusedError."""
        try:
            require(grants, actor, permission, scopes, target)
        except PermissionRefusedError:
            await self.record(actor, what or permission, target, "refused", detail)
            raise
