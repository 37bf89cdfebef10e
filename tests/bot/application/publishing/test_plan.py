"""The next step for a dashboard's messages, without an event loop, a database or Discord."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.application.publishing.plan import MessagePlan, Step, StepKind
from app.bot.domain.blocks.block import Problem, Text, View
from app.bot.domain.dashboards.placements import DashboardMessage, Placement, PostState

NOW = 1_000.0


def view(text: str, *problems: Problem) -> View:
    return View((Text(text), *problems), problems)


A, B, C = view("a"), view("b"), view("c")


def message(position: int, shows: View | None = A, **row: Any) -> MessageState:
    """A message that is there, posted in the order of the positions."""
    known = {"state": PostState.POSTED, "message_id": 100 + position, "content_hash": shows and shows.fingerprint}
    return MessageState(DashboardMessage(position + 1, 1, position, **{**known, **row}))


def shown(*messages: MessageState, **fields: Any) -> DashboardInChannel:
    removed = fields.pop("removed", False)
    return DashboardInChannel(Placement(1, 1, 7, removed=removed), list(messages), **fields)


def step(dashboard: DashboardInChannel, *views: View, too_old: bool = False) -> tuple[StepKind, int | None] | None:
    """The next step, and the position of its message."""
    chosen = MessagePlan(dashboard, views, NOW, too_old).next_step()
    if chosen is None:
        return None
    return chosen.kind, chosen.message.row.position if chosen.message is not None else None


class TestShowing:
    def test_nothing_is_done_when_all_is_as_wanted(self) -> None:
        assert step(shown(message(0, A), message(1, B)), A, B) is None

    def test_the_first_row_is_made_before_anything_is_built(self) -> None:
        assert step(shown()) == (StepKind.ADD, None)

    def test_a_row_is_posted_before_the_next_one_is_made(self) -> None:
        posting = message(0, None, state=PostState.POSTING, message_id=None)
        assert step(shown(posting), A, B) == (StepKind.POST, 0)
        assert step(shown(message(0)), A, B) == (StepKind.ADD, None)

    def test_a_row_whose_message_may_exist_is_posted_by_finding_it_first(self) -> None:
        assert step(shown(message(0, state=PostState.POSTING)), A) == (StepKind.POST, 0)

    def test_a_message_that_is_not_needed_goes_from_behind(self) -> None:
        assert step(shown(message(0), message(1), message(2)), A) == (StepKind.DELETE, 2)

    def test_nothing_goes_while_the_views_are_not_known(self) -> None:
        assert step(shown(message(0), message(1))) is None

    def test_a_message_older_than_the_one_in_front_of_it_is_posted_again(self) -> None:
        behind = shown(message(0, message_id=200), message(1, B))
        assert step(behind, A, B) == (StepKind.RENEW, 1)
        behind.order_at = NOW + 1
        assert step(behind, A, B) is None

    def test_only_what_changed_is_edited(self) -> None:
        assert step(shown(message(0, A), message(1, A)), A, B) == (StepKind.EDIT, 1)

    def test_a_message_is_left_alone_while_it_is_answered(self) -> None:
        answering = message(0, A)
        answering.answers, answering.answering_until = 1, NOW + 1
        assert step(shown(answering), B) is None
        answering.answering_until = NOW
        assert step(shown(answering), B) == (StepKind.EDIT, 0)

    def test_a_message_of_an_earlier_run_is_looked_for_after_it_is_up_to_date(self) -> None:
        seen = MessageState.loaded(message(0, A).row)
        assert step(shown(seen), B) == (StepKind.EDIT, 0)
        assert step(shown(seen), A) == (StepKind.VERIFY, 0)

    def test_a_message_that_is_too_old_is_posted_again_but_not_at_once_again(self) -> None:
        assert step(shown(message(0)), A, too_old=True) == (StepKind.RENEW, 0)
        assert step(shown(message(0), renew_at=NOW + 1), A, too_old=True) is None

    def test_a_deleted_message_comes_first_even_while_waiting(self) -> None:
        gone = message(1, B, message_id=55)
        gone.gone_id = 55
        assert step(shown(message(0, None), gone, retry_at=math.inf)) == (StepKind.FORGET, 1)

    def test_nothing_else_is_tried_before_its_time(self) -> None:
        assert step(shown(message(0, A), retry_at=NOW + 1), B) is None
        assert step(shown(retry_at=NOW + 1)) is None
        assert step(shown(add_at=NOW + 1)) is None


class TestSettling:
    @pytest.mark.parametrize("row", [{"state": PostState.FAILED}, {"error": "lacks a permission"}])
    def test_a_failure_that_is_over_is_cleared(self, row: dict[str, Any]) -> None:
        assert step(shown(message(0, A, **row)), A) == (StepKind.SETTLE, None)

    def test_problems_are_stored_when_they_are_shown(self) -> None:
        broken = view("a", Problem("CPU", "no such source"))
        dashboard = shown(message(0, broken))
        assert step(dashboard, broken) == (StepKind.SETTLE, None)
        assert dashboard.problems([broken], NOW) == [{"title": "CPU", "detail": "no such source"}]

    def test_a_refused_view_is_replaced_by_an_error_until_its_time(self) -> None:
        refused = message(0, A)
        refused.refusal, refused.refused_until = "Invalid Form Body", NOW + 1
        assert step(shown(refused), B) == (StepKind.EDIT, 0)
        replacement = refused.choose_view([B], NOW)
        assert replacement is not None
        assert [problem.detail for problem in replacement.problems] == ["Invalid Form Body"]
        assert refused.choose_view([B], NOW + 1) == B


class TestTakingDown:
    def test_a_removal_is_stored_before_messages_go_from_behind(self) -> None:
        assert step(shown(message(0), intent=Intent.REMOVE)) == (StepKind.MARK_REMOVED, None)
        assert step(shown(message(0), message(1), intent=Intent.REMOVE, removed=True)) == (StepKind.DELETE, 1)
        assert step(shown(intent=Intent.REMOVE, removed=True)) is None

    def test_the_row_of_what_is_discarded_goes_last(self) -> None:
        assert step(shown(message(0), intent=Intent.DISCARD)) == (StepKind.DELETE, 0)
        assert step(shown(intent=Intent.DISCARD)) == (StepKind.DISCARD, None)
        assert step(shown(intent=Intent.DISCARD, dropped=True)) is None
        assert step(shown(dropped=True), A) is None

    def test_what_was_removed_is_still_removed_after_a_restart(self) -> None:
        again = DashboardInChannel.loaded(Placement(1, 1, 7, removed=True, messages=(message(0).row,)))
        assert step(again) == (StepKind.DELETE, 0)


TEXTS = st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=4)
ROWS = st.lists(
    st.tuples(st.sampled_from([None, 1, 2, 3, 4]), st.sampled_from([A, B, None]), st.sampled_from(PostState)),
    max_size=5,
)


@given(ROWS, TEXTS)
def test_whatever_the_rows_say_steps_lead_to_the_views_in_order(rows: Sequence[Any], views: Sequence[View]) -> None:
    dashboard = shown(
        *(
            message(position, content, message_id=message_id, state=state)
            for position, (message_id, content, state) in enumerate(rows)
        )
    )
    newest = 100
    for _ in range(50):
        chosen = MessagePlan(dashboard, views, NOW).next_step()
        if chosen is None:
            break
        newest += 1
        _take(dashboard, chosen, views, newest)
    ids = [state.row.message_id or 0 for state in dashboard.messages]
    assert ids == sorted(ids)
    assert [state.row.content_hash for state in dashboard.messages] == [shows.fingerprint for shows in views]
    assert all(state.row.state == PostState.POSTED for state in dashboard.messages)


def _take(dashboard: DashboardInChannel, chosen: Step, views: Sequence[View], newest: int) -> None:
    """Do at once what a step does in Discord and in the rows."""
    at = dashboard.messages.index(chosen.message) if chosen.message is not None else len(dashboard.messages)
    if chosen.kind is StepKind.ADD:
        dashboard.add([message(dashboard.free_position(), None, message_id=None, state=PostState.POSTING)])
    elif chosen.kind is StepKind.DELETE:
        del dashboard.messages[at]
    elif chosen.kind in (StepKind.POST, StepKind.RENEW):
        dashboard.messages[at] = message(at, views[at], message_id=newest)
    elif chosen.kind is StepKind.EDIT:
        dashboard.messages[at] = message(at, views[at], message_id=dashboard.messages[at].row.message_id)
    elif chosen.kind is StepKind.SETTLE:
        for index, state in enumerate(dashboard.messages):
            dashboard.messages[index] = message(index, views[index], message_id=state.row.message_id)
