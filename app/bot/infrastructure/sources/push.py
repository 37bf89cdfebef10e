"""The push source."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import Field

from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.pushes import Push as Call
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, source_types

_NO_ADDRESS = "It has no address to call yet. Save it, then make one on its page in the web admin"


@source_types.register("push")
class Push(Source, title="Push"):
    """Something that calls when it is well: a backup, a cron job, a device that cannot be reached. Late means down.

    The address to call is made on the page of the data source; what calls may tell a status, a message and numbers.
    Metrics: age (since the last call), calls, and the numbers that were told.
    """

    every_seconds: float = Field(
        60, gt=0, le=400 * 86_400, description="How often a call is expected, such as 86400 for a daily backup"
    )
    grace_seconds: float = Field(30, ge=0, le=40 * 86_400, description="How late a call may be before it means down")
    units: dict[str, str] = Field(
        default_factory=dict, max_length=50, description="Units of the numbers by name, such as duration: seconds"
    )

    async def read(self, resources: Resources) -> Reading:
        """Look at the newest call. Raises what reading the database raises."""
        call = await resources.pushes.newest(resources.source)
        if call is None:
            return Reading(datetime.now(UTC), Status.UNKNOWN, _NO_ADDRESS)
        status, message = self._judge(call)
        return Reading(
            datetime.now(UTC),
            status,
            message,
            (
                Metric("age", call.waited_seconds if call.called else None, "seconds"),
                Metric("calls", float(call.calls), "count", kind=MetricKind.COUNTER),
                *(
                    Metric(name, float(value), self.units.get(name, ""))
                    for name, value in call.metrics.items()
                    if isinstance(value, (int, float))
                ),
            ),
        )

    def _judge(self, call: Call) -> tuple[Status, str]:
        late = call.waited_seconds > self.every_seconds + self.grace_seconds
        if late:
            waited = format_value(call.waited_seconds, "seconds")
            return Status.DOWN, f"No call for {waited}" if call.called else f"Never called, for {waited}"
        if not call.called:
            return Status.UNKNOWN, "Waiting for the first call"
        status = Status(call.status)
        return status, call.message or ("" if status is Status.UP else f"It called itself {status.value}")
