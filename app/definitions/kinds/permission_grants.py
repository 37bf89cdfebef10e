"""Permission grants: who may do what, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from app.bot.domain.permissions import PERMISSIONS, permission_problem, scope_problem
from app.definitions.inputs import Input, Name, SnowflakeId, without
from app.definitions.kinds.base import FileSection, RecordKind, register
from app.definitions.roles import Role
from app.shared.database.models import PermissionGrantRow


class PermissionGrantInput(Input):
    """One grant or denial. A denial wins over every grant."""

    guild_id: SnowflakeId | None = Field(None, description="The server it holds in; empty for every server")
    subject_type: Literal["everyone", "role", "user"] = Field(description="Whom it is about")
    subject_id: SnowflakeId | None = Field(None, description="Discord's id of the role or user")
    permission: Annotated[Name, AfterValidator(without(permission_problem))] = Field(
        description=f"{', '.join(PERMISSIONS)}, or * for all"
    )
    scope: Annotated[Name, AfterValidator(without(scope_problem))] = Field(
        "*",
        description="What it is about: * for all, action:name, source:name (also what actions do to it), "
        "dashboard:name, command:name, or a name alone",
    )
    effect: Literal["allow", "deny"] = "allow"

    @model_validator(mode="after")
    def _subject_fits(self) -> PermissionGrantInput:
        if (self.subject_type == "everyone") != (self.subject_id is None):
            what = "must be empty for everyone" if self.subject_id else f"is missing: the id of the {self.subject_type}"
            raise ValueError(f"subject_id {what}")
        return self


class PermissionGrants(RecordKind):
    """Grants have no name: all that they say tells them apart."""

    name = "permission-grants"
    singular = "permission grant"
    row = PermissionGrantRow
    shape = PermissionGrantInput
    guild = "guild_id"
    writer = Role.ADMIN
    section = FileSection(
        "permission_grants",
        order=10,
        identity=("guild_id", "subject_type", "subject_id", "permission", "scope", "effect"),
        renamed={"guild_id": "guild"},
        everywhere=True,
    )

    def subject(self, values: Mapping[str, Any]) -> str:
        """Return what is allowed or denied, and to whom."""
        whom = " ".join(str(values[name]) for name in ("subject_type", "subject_id") if values.get(name))
        said = [values.get("effect", "allow"), values.get("permission", "?"), "on", values.get("scope", "*")]
        return f"permission grant: {' '.join(str(word) for word in said)} to {whom or '?'}"


PERMISSION_GRANTS = register(PermissionGrants)
