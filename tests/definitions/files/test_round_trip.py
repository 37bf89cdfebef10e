"""Whatever is in a database: exported, applied to an empty one and exported again, it is the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.definitions.files.exporting import folder, one_file
from app.definitions.store import RecordStore
from tests.definitions.files.lab import Lab, open_lab
from tests.support import factories
from tests.support.database import Server

GUILDS = {1_300_000_000_000_000_101: "My Lab", 1_300_000_000_000_000_102: "Other", 1_300_000_000_000_000_103: "Other"}
_DEFINITIONS = (
    "dashboards", "data_sources", "services", "actions", "commands", "permission_grants", "settings", "guilds"
)  # fmt: skip

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
names = st.one_of(
    st.sampled_from(["no", "1e5", "CPU", "Übersicht", "a/b", "true", "#x", "${env:A}", "${secret:b}", "'", "12"]),
    text.map(str.strip).filter(bool),
)
keys = st.from_regex(r"[A-Za-z0-9_.\-]{1,8}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | text | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text | names, inner, max_size=3),
    max_leaves=6,
)
ids = st.integers(10_000, 2**63 - 1)
components = st.one_of(
    st.fixed_dictionaries({
        "type": st.just("text"), "name": st.just("") | names, "config": st.fixed_dictionaries({"text": names}),
        "page": st.none() | st.sampled_from(["One", "Two"]), "enabled": st.booleans(), "position": st.integers(0, 3),
    }),
    st.fixed_dictionaries({"type": st.just("separator"), "position": st.integers(0, 3)}),
)  # fmt: skip
dashboards = st.fixed_dictionaries({
    "guild_id": st.sampled_from(list(GUILDS)), "name": names, "description": text.map(str.strip),
    "layout": st.sampled_from([{}, {"frame": False}, {"accent": "status", "footer": False}]),
    "refresh_rate": st.integers(2, 100), "channel_id": st.none() | ids, "enabled": st.booleans(),
    "components": st.lists(components, max_size=4),
})  # fmt: skip
sources = st.fixed_dictionaries({
    "name": keys, "title": text.map(str.strip), "type": st.just("simulated"), "enabled": st.booleans(),
    "interval_seconds": st.floats(1, 600) | st.integers(1, 600).map(float),
})  # fmt: skip
grants = st.fixed_dictionaries({
    "guild_id": st.none() | st.sampled_from(list(GUILDS)), "subject_type": st.sampled_from(["role", "user"]),
    "subject_id": ids, "permission": st.sampled_from(["*", "action.run"]), "scope": st.just("*") | names,
    "effect": st.sampled_from(["allow", "deny"]),
})  # fmt: skip
stored_settings = st.fixed_dictionaries({
    "key": keys, "value": json_values.filter(lambda value: value is not None), "description": text.map(str.strip)
})  # fmt: skip


def unique(rows: st.SearchStrategy[dict[str, Any]], *names: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(rows, max_size=3, unique_by=lambda row: tuple(row[name] for name in names))


definitions = st.fixed_dictionaries({
    "dashboards": unique(dashboards, "guild_id", "name"), "data_sources": unique(sources, "name"),
    "permission_grants": unique(grants, "subject_id"), "settings": unique(stored_settings, "key"),
})  # fmt: skip


@pytest.fixture
async def other(postgres: Server, lab_template: str, store: RecordStore, tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(postgres, lab_template, store, tmp_path) as lab:
        yield lab


async def fill(lab: Lab, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    await clear(lab)
    for number, name in GUILDS.items():
        await factories.guild(lab.owner, id=number, name=name)
    for row in rows["dashboards"]:
        columns = {name: value for name, value in row.items() if name != "components"}
        dashboard = await factories.dashboard(lab.owner, **columns)
        for component in row["components"]:
            await factories.component(lab.owner, dashboard_id=dashboard["id"], **component)
    for table in ("data_sources", "permission_grants", "settings"):
        for row in rows[table]:
            await factories.insert(lab.owner, table, row)


async def clear(lab: Lab) -> None:
    await lab.owner.execute(f"TRUNCATE {', '.join(_DEFINITIONS)} CASCADE")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definitions)
async def test_a_round_trip_loses_nothing(lab: Lab, other: Lab, rows: dict[str, list[dict[str, Any]]]) -> None:
    await fill(lab, rows)
    await clear(other)
    exported = await lab.export()
    before = await lab.rows()
    assert (await lab.apply(one_file(exported), prune=True)).changes == ()
    assert await lab.rows() == before

    await other.apply(one_file(exported))
    assert json.dumps(await other.export()) == json.dumps(exported)
    stored = "SELECT key, value, description FROM settings ORDER BY key"
    assert [tuple(row) for row in await other.owner.fetch(stored)] == [tuple(r) for r in await lab.owner.fetch(stored)]
    assert (await other.apply(one_file(exported), prune=True)).changes == ()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definitions, st.randoms(use_true_random=False))
async def test_a_folder_says_the_same_in_any_order(
    lab: Lab, rows: dict[str, list[dict[str, Any]]], random: Any
) -> None:
    await fill(lab, rows)
    exported = await lab.export()
    target = lab.folder / f"{factories.number()}"
    files = list(folder(exported).items())
    random.shuffle(files)
    for index, (name, content) in enumerate(files):
        place = target / f"{index}" / name
        place.parent.mkdir(parents=True)
        place.write_text(content, encoding="utf-8")
    target.mkdir(exist_ok=True)
    (target / "empty.yaml").write_text("")
    assert (await lab.apply(target, prune=True)).changes == ()
