"""The registry of types."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import DuplicateTypeError, UnknownTypeError
from app.bot.domain.registry import Registry


def test_registered_types_are_found_by_name_and_listed_in_order() -> None:
    registry: Registry[type] = Registry("animal")
    registered = [registry.register(name)(type(name, (), {})) for name in ("owl", "cat")]
    assert registry["owl"] is registered[0]
    assert list(registry) == ["cat", "owl"]
    assert dict(registry.items())["cat"] is registered[1]
    assert len(registry) == 2
    assert "cat" in registry
    assert "dog" not in registry


def test_a_second_of_one_name_is_refused() -> None:
    registry: Registry[type] = Registry("animal")
    registry.register("cat")(int)
    with pytest.raises(DuplicateTypeError, match="The animal “cat” is registered twice"):
        registry.register("cat")(str)
    assert registry["cat"] is int


def test_an_unknown_name_says_which_there_are() -> None:
    registry: Registry[type] = Registry("animal")
    with pytest.raises(UnknownTypeError, match=r"Unknown animal “dog”\. Known: none"):
        registry["dog"]
    registry.register("cat")(int)
    with pytest.raises(UnknownTypeError, match="Known: cat"):
        registry["dog"]
