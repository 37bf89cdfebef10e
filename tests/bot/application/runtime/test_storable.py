from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.bot.application.runtime.storable import MAX_METRICS, storable
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cell(value: Any) -> Any:
    return storable(Reading(NOW, items={"rows": [{"cell": value}]})).items["rows"][0]["cell"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("plain", "plain"),
        ("nul\0byte", "nulbyte"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("grün 🟢", "grün 🟢"),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (10**30, 1e30),
        (True, True),
        (NOW, "2026-01-01T00:00:00+00:00"),
        ({"a": [1, {"b": "\0"}]}, {"a": [1, {"b": ""}]}),
        (Status.UP, "up"),
        (
            {
                1,
            },
            "{1}",
        ),
    ],
)
def test_cells_become_what_postgresql_can_hold(value: Any, kept: Any) -> None:
    assert cell(value) == kept
    json.dumps(cell(value), allow_nan=False).encode()


def test_everything_has_a_limit() -> None:
    reading = storable(
        Reading(
            NOW,
            message="m" * 10_000,
            metrics=tuple(Metric(f"m{number}", 1) for number in range(MAX_METRICS + 5)),
            items={"rows": [{"n": number, "long": "x" * 5_000} for number in range(MAX_ITEMS + 5)]},
        )
    )
    assert len(reading.message) == 500
    assert len(reading.metrics) == MAX_METRICS
    assert len(reading.items["rows"]) == MAX_ITEMS
    assert len(reading.items["rows"][0]["long"]) == 1_000


def test_a_loop_in_the_data_ends() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    json.dumps(cell(loop))


def test_rows_that_are_no_objects_get_a_name() -> None:
    rows: Any = ["a", 2]
    assert storable(Reading(NOW, items={"rows": rows})).items["rows"] == ({"value": "a"}, {"value": 2})


def test_a_reading_comes_back_from_json_as_it_was() -> None:
    reading = storable(
        Reading(NOW, Status.DEGRADED, "why", (Metric("m", 1.5, "bytes", {"a": "b"}),), {"t": [{"x": 1}]})
    )
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))).metrics == reading.metrics
