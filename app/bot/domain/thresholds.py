"""Thresholds: from which value on something is worth a warning, and the colours that say so."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.readings import Status


class Level(StrEnum):
    """How a value stands against its thresholds."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    MISSING = "missing"

    @property
    def mark(self) -> str:
        """A coloured dot: Discord's text has no colours of its own."""
        return {"ok": "🟢", "warning": "🟡", "critical": "🔴", "missing": "⚪"}[self.value]

    @property
    def accent(self) -> int:
        """The colour as 0xRRGGBB, Discord's own green, yellow and red."""
        return {"ok": 0x23A55A, "warning": 0xF0B232, "critical": 0xF23F43, "missing": 0x80848E}[self.value]

    @property
    def severity(self) -> int:
        """0 for ok, 3 for critical."""
        return {"ok": 0, "missing": 1, "warning": 2, "critical": 3}[self.value]


STATUS_LEVELS = {
    Status.UP: Level.OK,
    Status.UNKNOWN: Level.MISSING,
    Status.DEGRADED: Level.WARNING,
    Status.DOWN: Level.CRITICAL,
}


def worst(levels: Iterable[Level]) -> Level:
    """The most severe of several levels; ok for none."""
    return max(levels, key=lambda level: level.severity, default=Level.OK)


class Thresholds(BaseModel):
    """From which value on a metric is a warning, and from which it is critical."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    warning: float | None = Field(None, description="A warning from this value on")
    critical: float | None = Field(None, description="Critical from this value on")
    below: bool = Field(False, description="Low values are the bad ones (free space, battery, days left)")

    @cached_property
    def defined(self) -> bool:
        """Whether there is any threshold: only then a mark says something."""
        return self.warning is not None or self.critical is not None

    @model_validator(mode="after")
    def _in_order(self) -> Thresholds:
        if self.warning is not None and self.critical is not None:
            wrong = self.critical > self.warning if self.below else self.critical < self.warning
            if wrong:
                order = "below" if self.below else "above"
                raise ValueError(f"critical must lie {order} warning")
        return self

    def level(self, value: float | None) -> Level:
        """The level of a value; a missing value has the level missing."""
        if value is None:
            return Level.MISSING
        if self._reached(value, self.critical):
            return Level.CRITICAL
        return Level.WARNING if self._reached(value, self.warning) else Level.OK

    def _reached(self, value: float, limit: float | None) -> bool:
        if limit is None:
            return False
        return value <= limit if self.below else value >= limit
