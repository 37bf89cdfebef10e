"""Whatever is wrong in files is named by file, line and field, with what to do, and nothing changes."""

# ruff: noqa: E501  # a case is a text and what is said of it

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.definitions.files.problems import ConfigurationError, Problem
from tests.definitions.files.lab import Lab
from tests.definitions.files.test_applying import GUILD, WHOLE
from tests.support import factories

CASES = [
    ("settings: 5", "lab.yaml:1: settings: must be a list"),
    ("- a\n", "lab.yaml:1: must be a mapping of sections"),
    ("data_source: []", "lab.yaml:1: data_source: no such section; did you mean “data_sources”?"),
    ("data_sources:\n  - nas", "lab.yaml:2: data_sources.0: must be a mapping"),
    ("data_sources:\n  - {type: host}", "lab.yaml:2: data source without a name: name: field required"),
    ("data_sources:\n  - name: nas\n    typ: host", "lab.yaml:2: data source “nas”: type: field required", "lab.yaml:3: data source “nas”: typ: no such field; did you mean “type”?"),
    ("data_sources:\n  - name: nas\n    type: hots", "lab.yaml:3: data source “nas”: type: there is no type “hots”; did you mean “host”"),
    (
        "data_sources:\n  - name: nas\n    type: host\n    config:\n      processes: many",
        "lab.yaml:5: data source “nas”: config.processes: must be a whole number",
    ),
    (
        "data_sources:\n  - name: nas\n    type: host\n    interval_seconds: soon\n    config:\n      colour: red",
        "lab.yaml:4: data source “nas”: interval_seconds: input should be a valid number",
        "lab.yaml:6: data source “nas”: config.colour: no such setting",
    ),
    ("data_sources: [{name: a, type: bot}, {name: a, type: host}]", "lab.yaml:1: data source “a”: name: is there twice, first in lab.yaml:1"),
    ("settings: [{key: a, value: .inf}]", "lab.yaml:1: setting “a”: value: is no finite number"),
    ('settings: [{key: a, value: "\\0"}]', "lab.yaml:1: setting “a”: value: holds a character that is no text"),
    ("dashboards:\n  - name: A", "lab.yaml:2: dashboard “A”: guild: is missing; name the server here, or at the top"),
    ("guild: Nowhere\ndashboards:\n  - name: A", "lab.yaml:3: dashboard “A”: guild: there is no server “Nowhere”; known: Home, Twin"),
    ("dashboards:\n  - name: A\n    guild: Twin", "lab.yaml:3: dashboard “A”: guild: “Twin” is the name of several servers; give the id"),
    ("guild: 1300000000000000999\ndashboards: [{name: A}]", "lab.yaml:2: dashboard “A”: guild: there is no such server"),
    ("guild: Home\ndashboards:\n  - name: A\n    channel: lob", "lab.yaml:4: dashboard “A”: channel: there is no channel “lob”; known: lab"),
    ("guild: Home\ndashboards:\n  - name: A\n    guild_id: 5", "lab.yaml:4: dashboard “A”: guild_id: no such field; did you mean “guild”?"),
    (
        "guild: Home\ndashboards:\n  - name: A\n    refresh_rate: 1\n    components:\n      - type: gauge\n        config: {source: host}\n      - tpe: x",
        "lab.yaml:4: dashboard “A”: refresh_rate: input should be greater than or equal to 2",
        "lab.yaml:7: dashboard “A” › gauge: config.metric: is missing",
        "lab.yaml:8: dashboard “A” › component: tpe: no such field; did you mean “type”?",
        "lab.yaml:8: dashboard “A” › component: type: field required",
    ),
    ("guild: Home\ndashboards:\n  - name: A\n    layout: {acent: status}", "lab.yaml:4: dashboard “A”: layout.acent: no such setting"),
    ("permission_grants:\n  - {subject_type: everyone, permission: action.run}", "lab.yaml:2: permission grant: allow action.run on * to everyone: guild: is missing; name the server here, or at the top of the file; or write “*” for every server"),
    ("permission_grants:\n  - {guild: '*', subject_type: role, permission: action.run}", "lab.yaml:2: permission grant: allow action.run on * to role: subject_id: is missing"),
    ("guilds: [{id: 5, time_zone: Mars}]", "lab.yaml:1: guild “5”: time_zone: is no time zone"),
    (
        "component_types:\n  - name: a\n    definition: {components: [{type: b}]}\n  - name: b\n    definition:\n      components: [{type: a}]",
        "lab.yaml:3: component type “a”: definition: the type would contain itself: a → b → a",
        "lab.yaml:5: component type “b”: definition: the type would contain itself: b → a → b",
    ),
    ("component_types: [{name: gauge, definition: {components: [{type: separator}]}}]", "name: is the name of a type that comes with the program"),
    ("secrets: {a: b}", "lab.yaml:1: secrets: must be a list of names"),
    ("include: 5", "lab.yaml:1: include: must be a list of files"),
    ("include: [mising.yaml]", "lab.yaml:1: include: there is no file “mising.yaml” in"),
    ("include: [more/*.yaml]", "lab.yaml:1: include: no file matches “more/*.yaml”"),
    ("include: [../other.yaml]", "lab.yaml:1: include: “../other.yaml” is outside of the folder"),
    ("include: [/etc/passwd]", "lab.yaml:1: include: “/etc/passwd” is outside of the folder"),
]  # fmt: skip


@pytest.fixture
async def home(lab: Lab) -> Lab:
    await factories.guild(lab.owner, id=GUILD, name="Home")
    await factories.channel(lab.owner, guild_id=GUILD, name="lab")
    for _ in range(2):
        await factories.guild(lab.owner, name="Twin")
    return lab


async def test_each_problem_is_named_by_its_line_and_field(home: Lab) -> None:
    for text, *expected in CASES:
        found = await home.problems(text + "\n")
        assert len(found) == len(expected), found
        for said, start in zip(found, expected, strict=True):
            assert start.lower() in said.lower(), said


async def test_all_problems_of_all_files_are_told_at_once(home: Lab) -> None:
    home.write("data_sources: [{name: a, type: hots}]\n", "folder/a.yaml")
    home.write("b: [\n", "folder/b.yaml")
    home.write("include: [missing.yaml]\nx: ${env:NOT_THERE}\n", "folder/c/c.yaml")
    home.write(b"\xff".decode("latin-1"), "folder/d.yml")
    (home.folder / "folder/d.yml").write_bytes(b"a: 1\nb: \xff\n")
    found = await home.problems(home.folder / "folder")
    assert [re.match(r"[^ ]+", said)[0] for said in found] == [  # type: ignore[index]  # each begins with its place
        "folder/b.yaml:2:", "folder/c/c.yaml:1:", "folder/c/c.yaml:2:", "folder/d.yml:2:"
    ]  # fmt: skip
    (home.folder / "folder/b.yaml").write_text("")
    (home.folder / "folder/d.yml").unlink()
    home.write("actions: [{name: a, type: nothing}]", "folder/c/c.yaml")
    assert len(await home.problems(home.folder / "folder")) == 2


async def test_a_problem_in_the_last_record_leaves_the_first_unmade(lab: Lab) -> None:
    text = WHOLE.replace("config: {label: x}", "config: {label: 5}")
    (problem,) = await lab.problems(text)
    assert "card “Card”: config.label: must be text" in problem


async def test_a_secret_is_never_told(lab: Lab) -> None:
    found = await lab.problems("""
        data_sources:
          - name: nas
            type: http_json
            config: {url: 5, headers: hunter2hunter2, password: hunter2hunter2}
    """)
    assert "hunter2" not in "".join(found)


PLACES = [
    r"name: [A-Za-z-]+",
    r"type: \w+",
    r"config: ",
    r"key: ",
    r"\[",
    r"\{",
    r"id: \d+",
    r"- ",
    r": ",
    r"permission: ",
]
WRONG = ["", "5", "[", "}", "null", "!!x y", "\t", "- ", "${env:", "*x", "''", ": :", "\0", "true", "{a: 1}", "~"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(PLACES), st.sampled_from(WRONG)), min_size=1, max_size=3))
async def test_broken_documents_change_nothing_and_say_where(lab: Lab, cuts: list[tuple[int, str, str]]) -> None:
    text = WHOLE
    for number, place, wrong in cuts:
        matches = list(re.finditer(place, text))
        if matches:
            match = matches[number % len(matches)]
            text = text[: match.start()] + wrong + text[match.end() :]
    before = await lab.rows()
    problems: tuple[Problem, ...] = ()
    try:
        await lab.apply(text, dry_run=True)
    except ConfigurationError as error:
        problems = error.problems
    for problem in problems:
        assert problem.place.file.endswith("lab.yaml")
        assert 1 <= problem.place.line <= text.count("\n") + 1
    assert await lab.rows() == before
