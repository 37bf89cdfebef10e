"""YAML: every value with its line, one clear problem for what cannot be read, and what people type into forms."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.shared.yaml import YamlError, read_typed_yaml, read_yaml, write_yaml

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
tricky = st.sampled_from(
    [
        *(
            "no",
            "on",
            "12:30",
            "0x1F",
            "0o17",
            "1e5",
            "1_000",
            "~",
            "",
            "null",
            "2020-01-01",
            ".inf",
            "=",
            "<<",
            "0123",
        ),
        *(
            "- a",
            "${env:HOME}",
            "$${env:X:-y}",
            "${secret:x}",
            "a: b",
            "a #b",
            "\n",
            " \n a",
            "a\n",
            "\ta",
            "é\u2028",
            "it's",
        ),
        *('"', "first\n  second\n\nthird\n", "😀: it's", "\x85", "\ufeff", "a\r\nb", "\x07"),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | texts | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | tricky, inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def read(text: str) -> Any:
    return read_yaml(text, "f").data()


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    text = write_yaml({"value": value})
    for found in (read(text), read_typed_yaml(text)):
        assert found["value"] == value
        assert repr(found["value"]) == repr(value)


@given(values)
def test_other_programs_read_the_same(value: Any) -> None:
    assert yaml.safe_load(write_yaml({"value": value}))["value"] == value


def test_text_is_no_surprise() -> None:
    found = read("a: no\nb: 12:30\nc: 2020-01-01\nd: 0123\ne: 'true'\nf: true\ng: !!str 5\nh:")
    assert found == {
        "a": "no", "b": "12:30", "c": "2020-01-01", "d": 123, "e": "true", "f": True, "g": "5", "h": None
    }  # fmt: skip


def test_every_value_has_its_line() -> None:
    node = read_yaml("a:\n  b:\n    - x: 1\n    - x: 2\n      c.d:\n        e: 3\n", "file")
    assert node.find("a.b.1.x").line == 4
    assert node.find("a.b.1.c.d.e").line == 6
    assert node.find("a.b.1.missing.field").line == 4
    assert node.find("a.b.7").line == 2


def test_anchors_and_merges() -> None:
    found = read("base: &base {a: 1, b: 2}\nmore:\n  <<: *base\n  b: 3\nlist: [*base]\n")
    assert found["more"] == {"a": 1, "b": 3}
    assert found["list"] == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: [1\nc: 2\n", 3, "is no YAML"),
        ("a: 1\n\tb: 2\n", 2, "is no YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "“a” is there twice, first in line 1"),
        ("a: *nothing\n", 1, "names no anchor"),
        ("a: &x [*x]\n", 1, "names no anchor"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: !!python/object:os.system x\n", 1, "tag"),
        ("a: !secret x\n", 1, "tag"),
        ("? [1, 2]\n: 3\n", 1, "key"),
        ("a: b\x07\n", 1, "is no YAML|character"),
        ("<<: 5\n", 1, "takes a mapping"),
        ("[" * 5_000, 1, "nested deeper"),
        ("a: " + "{b: " * 5_000, 1, "nested deeper"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
        ), 6, "more than"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(YamlError, match=said) as caught:
        read_yaml(text, "some.yaml")
    assert caught.value.problems[0][0].line == line


@given(st.text(st.sampled_from("ab:- \n\t[]{}&*!|>'\"%@`#,?<$0.~\x00\x85"), max_size=40))
def test_no_text_is_more_than_a_problem(text: str) -> None:
    with suppress(YamlError):
        read_yaml(text, "f").data()


def test_a_tag_that_the_caller_knows_makes_a_value() -> None:
    def length(text: str) -> int:
        if not text:
            raise ValueError("is empty")
        return len(text)

    assert read_yaml("a: !length four\n", "f", tags={"!length": length}).data() == {"a": 4}
    with pytest.raises(YamlError, match=r"^f:2: is empty$"):
        read_yaml("a: !length x\nb: !length ''\n", "f", tags={"!length": length})


def test_words_that_are_typed_stay_words() -> None:
    text = "on: yes\nday: 2026-01-31\ntime: 12:30\nmode: '0777'\nnothing:\nnumber: 1.5\ntruth: true"
    assert read_typed_yaml(text) == {
        "on": "yes",
        "day": "2026-01-31",
        "time": "12:30",
        "mode": "0777",
        "nothing": None,
        "number": 1.5,
        "truth": True,
    }


def test_json_may_be_typed_too() -> None:
    assert read_typed_yaml('{"a": [1e5, null, "x\\n"],\n\t"b": true}') == {"a": [1e5, None, "x\n"], "b": True}
    assert read_typed_yaml(json.dumps({"a": "😀\\"})) == {"a": "😀\\"}
    assert read_typed_yaml(" \n") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line 1, column 5"),
        ("a: 1\n b: 2", "line 2"),
        ("a: &x [1]\nb: *x", "line 2, column 4): write it out"),
        ("!!python/object:os.system {}", "line 1"),
        ("a: " + "[" * 3_000, "this is no YAML"),
        ("x" * 200_001, "longer than"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1): “a” is there twice"),
        ("a: \ud800", "line 1"),
    ],
)
def test_what_is_refused_of_what_is_typed(text: str, said: str) -> None:
    with pytest.raises(YamlError) as raised:
        read_typed_yaml(text)
    assert said in str(raised.value)


def test_several_lines_are_written_as_they_read() -> None:
    assert write_yaml({"text": "a\n{{ b }}\n"}) == "text: |\n  a\n  {{ b }}\n"
