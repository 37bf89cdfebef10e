"""YAML as people type it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shared.yaml_text import YamlTextError, dump_yaml, load_yaml

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_words_stay_words() -> None:
    text = "on: yes\nday: 2026-01-31\ntime: 12:30\nmode: 0777\nnothing:\nnumber: 1.5\ntruth: true\nmerge: {<<: 1}"
    assert load_yaml(text) == {
        "on": "yes",
        "day": "2026-01-31",
        "time": "12:30",
        "mode": "0777",
        "nothing": None,
        "number": 1.5,
        "truth": True,
        "merge": {"<<": 1},
    }


def test_json_is_taken_too() -> None:
    assert load_yaml('{"a": [1e5, null, "x\\n"],\n\t"b": true}') == {"a": [1e5, None, "x\n"], "b": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line 1, column 5"),
        ("a: 1\n b: 2", "line 2"),
        ("a: &x [1]\nb: *x", "line 2, column 4): write it out"),
        ("!!python/object:os.system {}", "line 1"),
        ("a: " + "[" * 3_000, "this is no YAML"),
        ("x" * 200_001, "longer than"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(YamlTextError) as raised:
        load_yaml(text)
    assert said in str(raised.value)


def test_several_lines_are_shown_as_they_read() -> None:
    assert dump_yaml({"text": "a\n{{ b }}\n"}) == "text: |\n  a\n  {{ b }}\n"


@given(value=VALUES)
def test_what_is_shown_is_read_back(value: Any) -> None:
    read = load_yaml(dump_yaml(value))
    assert read == value or (isinstance(value, float) and math.isclose(read, value))
