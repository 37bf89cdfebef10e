"""The table component."""

from __future__ import annotations

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.monospace import display_width
from tests.support.rendering import component, down, metrics, text

PROCESSES = metrics(
    processes=[
        {"name": "postgres", "memory": 2**30, "cpu": 12.25, "user": {"name": "db"}, "root": False},
        {"name": "bot", "memory": 2**20 * 90, "cpu": 3, "user": {"name": "lab"}, "root": False},
        {"name": "kernel", "memory": None, "cpu": 20.5, "user": {}, "root": True},
    ]
)
COLUMNS = [
    {"field": "name", "header": "Process"},
    {"field": "cpu", "header": "CPU", "unit": "percent"},
    {"field": "memory", "header": "Memory", "unit": "bytes"},
]
CONFIG = {"source": "host", "items": "processes", "columns": COLUMNS}


def rows(shown: str) -> list[str]:
    return shown.split("```")[1].strip("\n").splitlines()


def test_columns_line_up_and_numbers_stand_at_the_right() -> None:
    assert text("table", {**CONFIG, "title": "Top"}, host=PROCESSES) == "\n".join(
        [
            "**Top**",
            "```",
            "Process    CPU    Memory",
            "postgres  12 %   1.0 GiB",
            "bot        3 %  90.0 MiB",
            "kernel    20 %         –",
            "```",
        ]
    )


def test_sorted_with_missing_values_last() -> None:
    ordered = {**CONFIG, "sort_by": "memory", "header": False, "columns": [{"field": "name"}]}
    assert rows(text("table", ordered, host=PROCESSES)) == ["bot", "postgres", "kernel"]
    assert rows(text("table", {**ordered, "descending": True}, host=PROCESSES)) == ["postgres", "bot", "kernel"]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"user.name": "DB"}, ["postgres"]),
        ({"cpu": 3.0}, ["bot"]),
        ({"root": True}, ["kernel"]),
        ({"root": "no", "name": "bot"}, ["bot"]),
    ],
)
def test_filtered_by_equal_values(where: dict[str, object], names: list[str]) -> None:
    config = {**CONFIG, "where": where, "header": False, "columns": [{"field": "name"}]}
    assert rows(text("table", config, host=PROCESSES)) == names


def test_nested_fields_and_chosen_alignment() -> None:
    columns = [{"field": "user.name", "align": "right"}, {"field": "root"}]
    assert rows(text("table", {**CONFIG, "columns": columns}, host=PROCESSES)) == [
        "user.name  root",
        "       db  no",
        "      lab  no",
        "        –  yes",
    ]


def test_more_rows_than_the_limit_are_counted() -> None:
    shown = text("table", {**CONFIG, "limit": 1}, host=PROCESSES)
    assert len(rows(shown)) == 2
    assert shown.endswith("-# 1 of 3")


def test_a_row_stays_narrow_and_the_widest_column_gives_way() -> None:
    wide = metrics(processes=[{"name": "漢字" * 40, "cpu": 1, "memory": 2}, {"name": "x ``` y\nz", "cpu": 1}])
    lines = rows(text("table", CONFIG, host=wide))
    assert max(map(display_width, lines)) <= 44
    assert lines[1].endswith("1 %     2 B")
    assert "…" in lines[1]
    assert lines[2].startswith("x ˋˋˋ y z")


@pytest.mark.parametrize("width", [24, 80])
def test_many_columns_fit_any_width(width: int) -> None:
    config = {**CONFIG, "columns": [{"field": "name"}] * 8, "width": width}
    assert max(map(len, rows(text("table", config, host=PROCESSES)))) <= width


def test_no_rows() -> None:
    assert text("table", {**CONFIG, "where": {"name": "x"}, "empty": "All *quiet*"}, host=PROCESSES) == (
        r"-# All \*quiet\*"
    )
    assert text("table", CONFIG, host=down("no route")) == "-# no route"


def test_a_column_without_a_field_is_named() -> None:
    with pytest.raises(InvalidConfigError, match=r"columns\.1\.field: "):
        component("table", {**CONFIG, "columns": [{"field": "a"}, {"header": "b"}]})
