"""What was done: runs of actions and other decisions, as /audit shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PAGE_SIZE = 10


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are wanted; empty fields want all. `page` counts from 1, the newest first."""

    guild_id: int
    user_id: int | None = None
    action: str = ""
    outcome: str = ""
    since: datetime | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that someone did, or may not do. `parameters` are masked already."""

    at: datetime
    user_id: str
    user_name: str
    action: str
    target: str
    outcome: str
    channel_id: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: str = ""
    duration_seconds: float | None = None
