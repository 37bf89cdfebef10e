"""A service: a long-running part of the bot, built from a row and supervised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ServiceStatus(StrEnum):
    """What the supervisor knows of a service."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A row of services."""

    id: int
    name: str
    type: str
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
