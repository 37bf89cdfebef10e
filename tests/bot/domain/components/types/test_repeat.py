"""The repeat component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.bot.domain.blocks.block import Buttons, Problem, Separator, Text
from app.bot.domain.blocks.custom_id import CustomId
from app.bot.domain.components.component import MAX_NESTED
from app.bot.domain.errors import ExpressionFailedError, InvalidConfigError, TooManyNestedError
from tests.support.rendering import component, context, down, metrics, render, store

ROWS = [
    {"name": "web", "cpu": 80.0, "labels": {"team": "a"}},
    {"name": "db*1", "cpu": 95.0, "labels": {"team": "b"}},
    {"name": "dns", "labels": {}},
]
NAME: dict[str, Any] = {"type": "text", "config": {"text": "{{ item.name }}"}}


def shown(config: dict[str, Any], rows: Sequence[dict[str, Any]] = ROWS) -> list[str]:
    blocks = render("repeat", {"source": "lab", "items": "rows", "children": [NAME], **config}, lab=metrics(rows=rows))
    assert all(isinstance(block, Text) for block in blocks), blocks
    return [block.text for block in blocks if isinstance(block, Text)]


def test_each_item_in_order() -> None:
    assert shown({}) == ["web", r"db\*1", "dns"]


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"where": "item.cpu > 90.0"}, [r"db\*1"]),
        ({"where": "item.labels.team == 'a'"}, ["web"]),
        ({"where": "item['name'].startsWith('d')"}, [r"db\*1", "dns"]),
        ({"where": "has(item.cpu) && dashboard.name == 'Lab'"}, ["web", r"db\*1"]),
        ({"sort_by": "cpu"}, ["web", r"db\*1", "dns"]),
        ({"sort_by": "cpu", "descending": True}, [r"db\*1", "web", "dns"]),
        ({"sort_by": "name", "limit": 2}, [r"db\*1", "dns", "-# … and 1 more"]),
        ({"where": "item.cpu > 99.0", "empty": "all *quiet*"}, [r"-# all \*quiet\*"]),
        ({"where": "item.cpu > 99.0", "empty": ""}, []),
        ({"title": "Top {{ 1 + 1 }}", "limit": 1}, ["**Top 2**", "web", "-# … and 2 more"]),
    ],
)
def test_choosing(config: dict[str, Any], names: list[str]) -> None:
    assert shown(config) == names


def test_a_fixed_list_with_a_name_of_ones_own() -> None:
    child = {"type": "text", "config": {"text": "${host} {{ host }}"}}
    blocks = render("repeat", {"values": ["nas", "pi"], "as": "host", "children": [child], "separator": True})
    assert blocks == (Text("nas nas"), Separator(), Text("pi pi"))


@pytest.mark.parametrize(("value", "texts"), [(["nas", "pi"], ["nas", "pi"]), ("nas", ["nas"]), (None, ["-# none"])])
def test_the_values_of_a_variable(value: Any, texts: list[str]) -> None:
    repeat = component(
        "repeat",
        {"variable": "host", "empty": "none", "children": [{"type": "text", "config": {"text": "{{ item }}"}}]},
    )
    surroundings = replace(context(), variables={"host": value})
    assert repeat.render(surroundings) == tuple(map(Text, texts))


def test_what_is_not_there_says_why() -> None:
    config = {"source": "lab", "items": "rows", "children": [NAME]}
    assert render("repeat", config, lab=down("no *answer*")) == (Text(r"-# no \*answer\*"),)
    assert render("repeat", config, lab=None) == (Text("-# Waiting for the first reading"),)
    assert render("repeat", config, lab=metrics(rows=[])) == (Text("-# Nothing to show"),)


def test_placeholders_keep_types_and_reach_nested_bodies() -> None:
    """The body of a repetition within another knows both items; what is filled first leaves it alone."""
    inner = {
        "type": "repeat",
        "config": {
            "values": "${item.ports}",
            "as": "port",
            "children": [{"type": "text", "config": {"text": "${item.name}:${port}"}}],
        },
    }
    blocks = render("repeat", {"values": [{"name": "web", "ports": [80, 443]}], "children": [inner]})
    assert blocks == (Text("web:80"), Text("web:443"))


HOSTILE = "{{ metric('lab', 'x') }} [click](https://evil.example) @everyone {% for %} {# #} ${secret:x}"


def test_data_in_a_placeholder_is_text_and_never_a_template() -> None:
    child = {"type": "text", "config": {"text": "**${item.name}** {{ 1 + 1 }}"}}
    (block,) = render("repeat", {"values": [{"name": HOSTILE}], "children": [child]})
    assert isinstance(block, Text)
    assert block.text.endswith("** 2")
    assert r"\[click\]\(https\://evil.example\)" in block.text
    assert r"\@everyone" in block.text
    assert r"metric\(" in block.text


def test_a_condition_that_never_works_is_named() -> None:
    with pytest.raises(ExpressionFailedError, match="nope"):
        shown({"where": "item.nope > 1.0"})
    with pytest.raises(ExpressionFailedError):
        shown({"where": "item.cpu >"})


@pytest.mark.parametrize(
    "config",
    [
        {"source": "lab"},
        {"items": "rows"},
        {"source": "lab", "items": "rows", "values": [1]},
        {"values": [1], "variable": "x"},
        {"values": [1], "as": "metric"},
        {"values": [1], "as": "Not-a-name"},
        {"values": [1], "limit": 26},
    ],
)
def test_what_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigError):
        component("repeat", {"children": [NAME], **config})


def test_equal_buttons_have_different_ids_that_mean_the_same() -> None:
    child = {"type": "buttons", "config": {"buttons": [{"label": "Again"}]}}
    blocks = render("repeat", {"values": [1, 2, 3], "children": [child]})
    ids = [block.buttons[0].custom_id for block in blocks if isinstance(block, Buttons)]
    assert ids == ["hl:7:refresh:", "hl:7.2:refresh:", "hl:7.3:refresh:"]
    assert {CustomId.parse(one or "") for one in ids} == {CustomId(7, "refresh")}


def test_repetitions_of_repetitions_end() -> None:
    body: dict[str, Any] = {"type": "text", "config": {"text": "x"}}
    for _ in range(5):
        body = {"type": "repeat", "config": {"values": list(range(25)), "limit": 25, "children": [body]}}
    with pytest.raises(TooManyNestedError, match=str(MAX_NESTED)):
        component("repeat", body["config"]).render(context())


def test_an_item_that_breaks_a_child_breaks_only_that() -> None:
    child = {"type": "metric", "config": {"source": "${item.name}", "metric": "x"}}
    surroundings = context(store(lab=metrics(rows=[{"name": "gone"}, {"name": "lab"}])))
    blocks = component("repeat", {"source": "lab", "items": "rows", "children": [child]}).render(surroundings)
    assert [type(block) for block in blocks] == [Problem, Text]
    assert surroundings.sources_read == {"lab", "gone"}, "also one that does not exist yet"
