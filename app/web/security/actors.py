"""Who is behind a request, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.web.security.roles import Role


@dataclass(frozen=True, slots=True)
class WebActor:
    """A user who logged in (`kind` web), or a script with that user's token (`kind` api)."""

    kind: Literal["web", "api"]
    user_id: int
    name: str
    role: Role
    session_id: str = ""

    def may(self, role: Role) -> bool:
        """Whether this actor has at least this role."""
        return self.role.includes(role)
