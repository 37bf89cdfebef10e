"""Thresholds: from which value on something is worth a warning, and the colours that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.readings.reading import Status


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
    """Return the most severe of several levels; ok for none."""
    return max(levels, key=lambda level: level.severity, default=Level.OK)


class Thresholds(BaseModel):
    """From which value on a metric is a warning, and from which it is critical."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    warning: float | None = Field(None, description="A warning from this value on")
    critical: float | None = Field(None, description="Critical from this value on")
    hysteresis: float = Field(
        0.0,
        ge=0,
        description="A level once reached stays until the value is this much better than its limit, in the "
        "metric's unit: a value that wavers around a limit does not change its colour all the time",
    )
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
        """Return the level of a value; a missing value has the level missing."""
        if value is None:
            return Level.MISSING
        if self._reached(value, self.critical):
            return Level.CRITICAL
        return Level.WARNING if self._reached(value, self.warning) else Level.OK

    def level_after(self, value: float | None, recent: Callable[[], Sequence[float | None]]) -> Level:
        """Return the level of a value after its `recent` ones, oldest first, which may end with the value itself.

        A level once reached is kept while the value is within `hysteresis` of its limit. Nothing is remembered: the
        recent values tell again each time, and are asked for only where they matter.
        """
        level = self.level(value)
        if value is None or not self.hysteresis or self._kept(value, Level.CRITICAL) is level:
            return level
        reached = Level.OK
        for earlier in (*recent(), value):
            if earlier is not None:
                reached = worst((self.level(earlier), self._kept(earlier, reached)))
        return reached

    def _kept(self, value: float, reached: Level) -> Level:
        """Return what is left of a level that was reached before."""
        if reached is Level.CRITICAL and self._reached(value, self.critical, self.hysteresis):
            return Level.CRITICAL
        if reached is not Level.OK and self._reached(value, self.warning, self.hysteresis):
            return Level.WARNING
        return Level.OK

    def _reached(self, value: float, limit: float | None, room: float = 0.0) -> bool:
        if limit is None:
            return False
        return value <= limit + room if self.below else value >= limit - room
