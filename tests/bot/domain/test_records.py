"""Records become models, whatever columns the schema has by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.bot.domain.errors import MissingColumnError
from app.bot.domain.records import from_record


@dataclass(frozen=True)
class Shelf:
    id: int
    name: str = "unnamed"
    books: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


def test_columns_become_fields_and_unknown_ones_attributes() -> None:
    assert from_record(Shelf, {"id": 1, "name": "A", "team": "blue"}) == Shelf(1, "A", (), {"team": "blue"})


def test_a_column_that_is_gone_or_null_falls_back_to_the_default() -> None:
    assert from_record(Shelf, {"id": 1}).name == "unnamed"
    assert from_record(Shelf, {"id": 1, "name": None}).name == "unnamed"


def test_children_are_given_beside_the_record() -> None:
    assert from_record(Shelf, {"id": 1}, books=("x",)).books == ("x",)


def test_a_column_named_attributes_does_not_hide_the_others() -> None:
    assert from_record(Shelf, {"id": 1, "attributes": "mine", "team": "blue"}).attributes["team"] == "blue"


def test_a_needed_column_that_is_gone_is_named() -> None:
    with pytest.raises(MissingColumnError, match="Shelf needs the column “id”"):
        from_record(Shelf, {"name": "A"})
