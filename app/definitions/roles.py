"""Roles of the web admin's users, each including the ones before it."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a user may do: look, change definitions, or also manage users, secrets and permissions."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


def lower(first: Role, second: Role) -> Role:
    """Return the one of two roles that may do less."""
    return second if first.includes(second) else first
