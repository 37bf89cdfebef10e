"""Secrets that configs refer to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.definitions.inputs import Input, KeyName
from app.definitions.kinds.base import Keeping, RecordKind, register
from app.definitions.roles import Role
from app.shared.database.models import SecretRow

_PLACEHOLDER = "unchanged"


class SecretInput(Input):
    """A secret; its value goes in and never comes out."""

    name: KeyName = Field(description="Unique; configs write it as ${secret:name}")
    value: Annotated[str, StringConstraints(min_length=1, max_length=10_000)] = Field(
        description="Stored encrypted, never shown again"
    )


class Secrets(RecordKind):
    """A secret's value is kept encrypted."""

    name = "secrets"
    singular = "secret"
    row = SecretRow
    shape = SecretInput
    reader = Role.EDITOR
    writer = Role.ADMIN
    hidden = frozenset({"ciphertext"})
    write_only = MappingProxyType({"ciphertext": "value"})

    async def stored(self, values: Mapping[str, Any], existing: Any, keeping: Keeping) -> dict[str, Any]:
        """Seal the value."""
        columns: dict[str, Any] = {"name": values["name"]}
        if "value" in values:
            columns["ciphertext"] = keeping.secret_box.seal(values["value"])
        return columns

    def entered(self, row: Any) -> dict[str, Any]:
        """Return the fields with a placeholder as the value, for that does not come back."""
        return {**super().entered(row), "value": _PLACEHOLDER}


SECRETS = register(Secrets)
