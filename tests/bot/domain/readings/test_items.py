"""Values of items."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.readings.items import sort_key, value_at, value_text

ITEM = {"name": "a", "net": {"ip": "10.0.0.2", "ports": [80, {"n": 443}]}, "a.b": "dotted"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "a"),
        ("net.ip", "10.0.0.2"),
        ("net.ports.0", 80),
        ("net.ports.1.n", 443),
        ("net.ports.7", None),
        ("a.b", "dotted"),
        ("name.x", None),
        ("nothing.at.all", None),
    ],
)
def test_dotted_paths(path: str, value: Any) -> None:
    assert value_at(ITEM, path) == value


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "", "no data"),
        ("", "bytes", "no data"),
        (2048, "bytes", "2.0 KiB"),
        ("2048", "bytes", "2.0 KiB"),
        ("2048", "", "2048"),
        (0.5, "", "0.50"),
        (True, "percent", "yes"),
        ([1, "b"], "", "1, b"),
        ({"a": 1}, "", '{"a": 1}'),
        ("two\nlines", "", "two lines"),
        ("text", "bytes", "text"),
        (float("nan"), "", "no data"),
        (10**400, "", str(10**400)[:199] + "…"),
    ],
)
def test_values_as_text(value: Any, unit: str, shown: str) -> None:
    assert value_text(value, unit) == shown


def test_values_of_any_kind_can_be_sorted() -> None:
    assert sorted(["b", 10, None, "9", "A", {}], key=sort_key) == [None, "9", 10, "A", "b", {}]
