"""A slash command, defined by a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CommandDefinition:
    """A row of commands: `type` says what the command does, the rest how it is called in Discord."""

    id: int
    name: str
    type: str
    description: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
