"""Who is behind a request, and what that person may do."""

from __future__ import annotations

import getpass
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


CATALOG_ACTOR = WebActor("catalog", 0, "catalog", Role.ADMIN)


def command_line_actor() -> WebActor:
    """Return who runs the command. To reach the database as its owner is to be allowed everything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        name = "homelab"
    return WebActor("cli", 0, name[:100], Role.ADMIN, note="homelab apply")
