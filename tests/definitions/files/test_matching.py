"""A component keeps its row, whatever is renamed, moved, added or removed around it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.definitions.files.matching import keeping_order, match_components, positions


def component(name: str = "", kind: str = "gauge", **config: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "page": None, "config": config, "enabled": True}


def test_a_name_is_the_key_whatever_else_changes() -> None:
    rows = [component("CPU", metric="cpu"), component("Disk", metric="disk")]
    assert match_components([component("Disk", "chart"), component("CPU", metric="load")], rows) == [1, 0]


def test_a_name_wins_over_the_content() -> None:
    rows = [component("A", x=1), component("B", x=2)]
    assert match_components([component("A", x=2), component("B", x=1)], rows) == [0, 1]


def test_a_renamed_component_is_known_by_its_content() -> None:
    rows = [component("CPU", metric="cpu"), component("Disk", metric="disk")]
    assert match_components([component("Disk", metric="disk"), component("Processor", metric="cpu")], rows) == [1, 0]


def test_one_renamed_and_changed_is_known_if_no_other_can_be_meant() -> None:
    rows = [component("Title", "heading"), component("CPU", limit=1)]
    assert match_components([component("Title", "heading"), component("Processor", limit=2)], rows) == [0, 1]
    both = [component("X", limit=3), component("Y", limit=4)]
    assert match_components(both, rows) == [None, None]


def test_unnamed_components_are_known_by_content_then_by_order() -> None:
    rows = [component(kind="text", text="one"), component(kind="text", text="two"), component(kind="separator")]
    wanted = [component(kind="text", text="zero"), component(kind="separator"), component(kind="text", text="two")]
    assert match_components(wanted, rows) == [0, 2, 1]


def test_true_is_not_one() -> None:
    rows = [component("A", x=1), component("A", x=True)]
    assert match_components([component("A", x=True), component("A", x=1)], rows) == [1, 0]


components = st.lists(
    st.builds(component, st.sampled_from(["", "", "A", "B"]), st.sampled_from(["gauge", "text"]), x=st.integers(0, 2)),
    max_size=7,
)


@given(components, components)
def test_no_row_is_taken_twice(wanted: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    taken = [place for place in match_components(wanted, rows) if place is not None]
    assert len(set(taken)) == len(taken)


@given(components, st.randoms(use_true_random=False))
def test_a_new_order_loses_no_row(rows: list[dict[str, Any]], random: Any) -> None:
    wanted = random.sample(rows, len(rows))
    assert None not in match_components(wanted, rows)
    assert match_components(rows, rows) == list(range(len(rows)))


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 6), st.integers(1, 9))), max_size=8, unique=True))
def test_positions_put_components_in_order(kept: list[tuple[int, int] | None]) -> None:
    placed = positions(kept)
    pairs = zip(placed, kept, strict=True)
    order = [(place, known[1] if known and known[0] == place else 10**9) for place, known in pairs]
    assert order == sorted(set(order))


def test_as_many_as_can_stay_in_order() -> None:
    assert keeping_order([0, 1, 2]) == {0, 1, 2}
    assert keeping_order([3, 0, None, 1, 2]) == {1, 3, 4}
    assert keeping_order([1, 2, 0]) == {0, 1}
    assert keeping_order([None]) == frozenset()


def test_positions_that_are_right_stay() -> None:
    assert positions([(0, 5), (0, 6), (7, 1)]) == [0, 0, 7]
    assert positions([(0, 5), None, (1, 6), (9, 7)]) == [0, 1, 2, 9]
    assert positions([(2**31 - 1, 5), None]) == [0, 1]
