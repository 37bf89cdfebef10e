"""What changed between two versions of a record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shared.differences import ABSENT, Difference, differences, value_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


def test_paths_lead_into_configs() -> None:
    before = {"name": "a", "config": {"columns": [{"label": "x"}, {"label": "y"}, {"label": "z"}]}}
    after = {"name": "a", "config": {"columns": [{"label": "x"}, {"label": "y"}, {"label": "Z"}]}}

    assert differences(before, after) == [Difference("config.columns.2.label", "z", "Z")]
    assert str(differences(before, after)[0]) == 'config.columns.2.label: "z" → "Z"'


def test_an_item_put_in_the_middle_is_one_difference() -> None:
    assert differences({"list": ["a", "b", "c"]}, {"list": ["a", "new", "b", "c"]}) == [
        Difference("list.1", ABSENT, "new")
    ]


def test_an_item_taken_out_is_named_by_the_place_it_had() -> None:
    assert differences({"list": ["a", "b", "c"]}, {"list": ["a", "c"]}) == [Difference("list.1", "b", ABSENT)]


def test_a_changed_item_beside_an_added_one() -> None:
    before = {"list": [{"id": 1, "on": True}]}
    after = {"list": [{"id": 1, "on": False}, {"id": 2, "on": True}]}

    assert differences(before, after) == [
        Difference("list.0.on", True, False),
        Difference("list.1", ABSENT, {"id": 2, "on": True}),
    ]


def test_null_is_not_absent() -> None:
    assert differences({"a": None}, {}) == [Difference("a", None, ABSENT)]
    assert differences({"a": None}, {"a": 1}) == [Difference("a", None, 1)]


def test_true_is_not_one() -> None:
    assert differences({"a": 1}, {"a": True}) == [Difference("a", 1, True)]
    assert differences({"a": [1, 0]}, {"a": [1, False]}) == [Difference("a.1", 0, False)]


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert differences({"a": 1, "b": [1]}, {"a": 1.0, "b": [1.0]}) == []


def test_a_key_with_a_dot_is_quoted() -> None:
    assert [found.path for found in differences({"c": {"a.b": 1}}, {"c": {"a.b": 2}})] == ['c."a.b"']


def test_a_record_that_was_not_there() -> None:
    assert differences(None, {"name": "a", "config": {"b": 1}}) == [
        Difference("name", ABSENT, "a"),
        Difference("config", ABSENT, {"b": 1}),
    ]
    assert differences({"name": "a"}, None) == [Difference("name", "a", ABSENT)]
    assert differences(None, None) == []


def test_long_lists_are_compared_in_linear_time() -> None:
    before = {"list": [str(number) for number in range(20_000)]}
    after = {"list": [*before["list"][:-1], "last"]}

    assert differences(before, after) == [Difference("list.19999", "19999", "last")]


def test_endless_depth_is_compared_as_a_whole() -> None:
    def nested(value: Any) -> Any:
        for _ in range(200):
            value = {"a": value}
        return value

    (found,) = differences({"x": nested(1)}, {"x": nested(2)})

    assert found.path.count(".a") == 39


def test_of_long_texts_the_part_is_shown_where_they_part() -> None:
    before, after = ("x" * 900 + middle + "y" * 900 for middle in ("old", "new"))

    (found,) = differences({"text": before}, {"text": after})

    assert str(found).startswith('text: "…xxxxxxxxxxxxxxxxxxxxoldyyy')
    assert '→ "…xxxxxxxxxxxxxxxxxxxxnewyyy' in str(found)
    assert found.before == before


@given(RECORDS)
def test_nothing_differs_from_itself(record: dict[str, Any]) -> None:
    assert differences(record, json.loads(json.dumps(record))) == []


@given(RECORDS, RECORDS)
def test_the_way_back_has_as_many_differences_or_lists_were_aligned(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = differences(before, after)

    assert bool(found) == bool(differences(after, before))
    assert all(isinstance(difference.path, str) for difference in found)


@pytest.mark.parametrize(
    ("value", "text"), [(ABSENT, "–"), (None, "null"), ("a", '"a"'), ([1], "[1]"), ("ä" * 300, '"' + "ä" * 198 + "…")]
)
def test_values_as_text(value: Any, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("config.columns.2.label", "label"),
        ("config.tokens.0", "tokens"),
        ("name", "name"),
        ('config."api.key"', "api.key"),
        ('config."a \\" b.c"', 'a " b.c'),
        ('config."a.b".0', "a.b"),
        ("0", "0"),
    ],
)
def test_the_name_that_a_value_stands_under(path: str, name: str) -> None:
    assert Difference(path, 1, 2).name == name
