"""The memory of messages."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.dashboards.placements import DashboardMessage, Placement, PostState, message_age


@given(st.integers(1, 2**63 - 1))
def test_the_marker_fits_discords_32_bits(row_id: int) -> None:
    assert 1 <= DashboardMessage(row_id, 1).marker <= 2**31 - 1


def test_markers_of_neighbours_differ() -> None:
    assert len({DashboardMessage(number, 1).marker for number in range(1, 1_000)}) == 999


@given(st.integers(1, 2**53))
def test_the_nonce_fits_discords_25_characters(row_id: int) -> None:
    posted = DashboardMessage(min(row_id, 10**11), 1, posted_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert len(posted.nonce) <= 25


def test_a_renewed_message_has_another_nonce() -> None:
    first = DashboardMessage(1, 1)
    assert first.nonce == DashboardMessage(1, 1).nonce
    assert first.nonce != DashboardMessage(1, 1, posted_at=datetime(2026, 1, 1, tzinfo=UTC)).nonce


def test_a_new_message_may_or_may_not_exist() -> None:
    assert DashboardMessage(1, 1).state is PostState.POSTING


def test_a_placement_is_posted_when_every_message_is_and_tells_the_first_error() -> None:
    assert Placement(1, 1, 1).state == PostState.POSTING
    posted = DashboardMessage(1, 1, 0, PostState.POSTED, message_id=7)
    failed = DashboardMessage(2, 1, 1, PostState.FAILED, error="refused")
    whole, partly = Placement(1, 1, 1, messages=(posted,)), Placement(1, 1, 1, messages=(posted, failed))
    assert (whole.state, whole.error, whole.posted_count) == (PostState.POSTED, None, 1)
    assert (partly.state, partly.error, partly.posted_count) == (PostState.FAILED, "refused", 1)
    assert partly.has_message(7)
    assert not partly.has_message(8)


def test_the_age_of_a_message_stands_in_its_id() -> None:
    # Discord's own example (reference, snowflakes): 175928847299117063 was made 2016-04-30 11:18:25.796 UTC.
    assert message_age(175928847299117063, datetime(2016, 4, 30, 12, 18, 25, 796_000, tzinfo=UTC)) == 3_600
