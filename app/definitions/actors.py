"""Who is behind a request, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.definitions.roles import Role


@dataclass(frozen=True, slots=True)
class WebActor:
    """Who changes definitions: a user who logged in (`kind` web), a script with that user's token (api), who runs
    `homelab` (cli), or the program itself, which brings its catalog (catalog).

    Only the first two are users of the web admin; `user_id` of the others is 0. `note` says in the revisions what a
    change was part of, such as a restore.
    """

    kind: Literal["web", "api", "cli", "catalog"]
    user_id: int
    name: str
    role: Role
    session_id: str = ""
    note: str = ""

    def may(self, role: Role) -> bool:
        """Whether this actor has at least this role."""
        return self.role.includes(role)
