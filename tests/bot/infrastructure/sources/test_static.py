from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Status


async def test_the_config_is_the_reading(read: Any) -> None:
    reading = await read(
        "static",
        metrics=[{"name": "a", "value": 1.5, "unit": "percent", "labels": {"x": "y"}}, {"name": "missing"}],
        items={"plan": [{"day": "Monday", "task": "backup"}]},
        status="degraded",
        message="Only a try",
    )
    assert reading.metrics == (Metric("a", 1.5, "percent", {"x": "y"}), Metric("missing", None))
    assert list(reading.items["plan"]) == [{"day": "Monday", "task": "backup"}]
    assert (reading.status, reading.message) == (Status.DEGRADED, "Only a try")


async def test_an_empty_config_is_up(read: Any) -> None:
    assert (await read("static")).status is Status.UP


async def test_a_wrong_config_names_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match=r"metrics\.0\.value: .*; status: "):
        await read("static", metrics=[{"name": "a", "value": "much"}], status="fine")
