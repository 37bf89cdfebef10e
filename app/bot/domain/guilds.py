"""A guild the bot serves, and the people who act in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Guild:
    """A row of guilds; `id` is Discord's."""

    id: int
    name: str = ""
    time_zone: str = "UTC"
    locale: str = "en"
    temperature_unit: str = "celsius"
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Channel:
    """A text channel the bot can see, remembered so that the admin offers channels by name."""

    id: int
    guild_id: int
    name: str
    type: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """Who clicked or typed: what a permission decision needs to know."""

    user_id: int
    name: str
    guild_id: int | None
    channel_id: int | None
    role_ids: frozenset[int] = frozenset()
    manages_guild: bool = False
    """Has Discord's own Manage Server permission."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log: who did what to what, and how it ended."""

    actor_type: str
    actor_id: str
    actor_name: str
    guild_id: int | None
    action: str
    target: str
    outcome: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BotInstance:
    """A running bot process, as the admin and `homelab doctor` see it."""

    id: str
    application_id: int | None
    hostname: str
    pid: int
    version: str
    started_at: datetime
    latency_seconds: float | None = None
    guild_count: int = 0
    command_hash: str | None = None
    shard_ids: tuple[int, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
