"""An action: something a user may do from Discord, defined by a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """A row of actions; buttons name it by `name`."""

    id: int
    name: str
    type: str
    title: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
