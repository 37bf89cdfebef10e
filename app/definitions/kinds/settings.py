"""Settings that are no environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.definitions.catalog import SEEDED_SETTING
from app.definitions.inputs import Input, LongText
from app.definitions.kinds.base import FileSection, RecordKind, register
from app.definitions.roles import Role
from app.shared.database.models import SettingRow


class SettingInput(Input):
    """A setting that is no environment variable."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.\-]{1,100}$")] = Field(
        description="Unique, such as theme.accent"
    )
    value: Any = Field(description="Any JSON")
    description: LongText = ""


class Settings(RecordKind):
    """A setting's key says how secret its value is."""

    name = "settings"
    singular = "setting"
    row = SettingRow
    shape = SettingInput
    key = "key"
    unique = "key"
    writer = Role.ADMIN
    section = FileSection("settings", order=2, identity=("key",))

    def masked_as(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        """Mask the value by the setting's key."""
        return {"value": str(row.get("key", ""))}

    def is_in_files(self, row: Any) -> bool:
        """Leave out the setting in which the program remembers what it added."""
        return bool(row.key != SEEDED_SETTING)


SETTINGS = register(Settings)
