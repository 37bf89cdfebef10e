from __future__ import annotations

import math

import pytest

from app.bot.infrastructure.discord.answer import Answer
from app.bot.infrastructure.discord.budgets import LEAST_HEADROOM, OldEdits, WholeBot, Window


def headers(remaining: int, reset_after: float, reset: float, limit: int = 5) -> Answer:
    return Answer(
        200,
        {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset-After": str(reset_after),
            "X-RateLimit-Reset": str(reset),
        },
    )


def old_refusal(retry_after: float) -> Answer:
    return Answer(429, data={"code": 30046, "retry_after": retry_after})


class TestWholeBot:
    def test_no_second_holds_more_requests_than_allowed_even_when_the_network_compresses_them(self) -> None:
        budget, now, sent = WholeBot(50), 100.0, []
        while now < 110:
            now = max(now, budget.ready_at())
            budget.take(now)
            sent.append(now)
        assert len(sent) > 0.95 * 50 * 10
        for first in sent:
            assert sum(first <= at < first + 1.0 for at in sent) < 50

    def test_an_idle_bot_answers_at_once(self) -> None:
        budget = WholeBot(50)
        budget.take(100.0)
        assert budget.ready_at() < 100.05

    def test_a_refusal_stops_everything_and_makes_it_a_little_slower(self) -> None:
        budget = WholeBot(50)
        before = budget.headroom
        budget.refused(101.0)
        budget.refused(101.01)
        assert budget.ready_at() == 101.01
        assert before - 0.011 < budget.headroom < before, "refusals at the same time are one event"
        for second in range(100):
            budget.refused(200.0 + second)
        assert budget.headroom == LEAST_HEADROOM

    def test_an_unused_turn_is_given_back(self) -> None:
        budget = WholeBot(50)
        before = budget.ready_at()
        budget.take(0.0)
        budget.give_back()
        assert budget.ready_at() == pytest.approx(before)


class TestWindow:
    def test_begins_with_five_requests_and_waits_for_their_answers(self) -> None:
        window = Window()
        for _ in range(5):
            assert window.ready_at(10.0) == 10.0
            window.sent()
        assert window.ready_at(10.0) == math.inf

    def test_follows_the_headers_whatever_the_built_in_numbers_say(self) -> None:
        window = Window()
        window.sent()
        window.answered(10.0, headers(remaining=1, reset_after=30.0, reset=1000.0, limit=2))
        assert window.ready_at(10.0) == 10.0
        window.sent()
        window.answered(11.0, headers(remaining=0, reset_after=29.0, reset=1000.0, limit=2))
        assert 40.0 < window.ready_at(11.0) < 40.1
        assert window.interval == 15.0
        assert window.ready_at(41.0) == 41.0

    def test_answers_that_overtake_each_other_do_not_add_requests(self) -> None:
        window = Window()
        for _ in range(3):
            window.sent()
        window.answered(10.0, headers(remaining=2, reset_after=5.0, reset=1000.0))
        window.answered(10.1, headers(remaining=4, reset_after=5.0, reset=1000.0))
        window.answered(10.2, headers(remaining=3, reset_after=5.0, reset=1000.0))
        for _ in range(2):
            assert window.ready_at(10.2) == 10.2
            window.sent()
        assert window.ready_at(10.2) > 14.9

    def test_an_answer_of_the_last_window_says_nothing_of_the_new_one(self) -> None:
        window = Window()
        window.sent()
        window.sent()
        window.answered(10.0, headers(remaining=0, reset_after=5.0, reset=1005.0))
        window.answered(10.1, headers(remaining=4, reset_after=0.1, reset=1000.0))
        assert window.ready_at(10.2) > 14.9

    def test_without_headers_the_built_in_numbers_hold(self) -> None:
        window = Window()
        for _ in range(5):
            window.sent()
            window.answered(10.0, None)
        assert window.ready_at(10.0) == 15.0

    def test_a_refusal_waits_as_long_as_it_says(self) -> None:
        window = Window()
        window.sent()
        window.answered(10.0, Answer(429, data={"retry_after": 7.5}))
        assert 17.5 <= window.ready_at(10.0) < 17.6

    def test_a_refused_edit_of_an_old_message_leaves_young_ones_alone(self) -> None:
        window = Window()
        window.sent()
        window.answered(10.0, old_refusal(60.0))
        assert window.ready_at(10.0) == 10.0

    def test_an_unused_turn_is_given_back(self) -> None:
        window = Window(limit=1)
        window.sent()
        window.unused()
        assert window.ready_at(10.0) == 10.0


class FixedWindow:
    """A server that allows so many edits in that many seconds, counted from the first one."""

    def __init__(self, edits: int, seconds: float, used: int = 0) -> None:
        self.edits, self.seconds = edits, seconds
        self.left, self.ends = edits - used, seconds if used else 0.0
        self.refusals: list[float] = []
        self.accepted: list[float] = []

    def edit(self, now: float) -> Answer:
        if now >= self.ends:
            self.left, self.ends = self.edits, now + self.seconds
        if self.left == 0:
            self.refusals.append(now)
            return old_refusal(round(self.ends - now, 3))
        self.left -= 1
        self.accepted.append(now)
        return Answer(200)


def edit_for(seconds: float, budget: OldEdits, server: FixedWindow, way: float = 0.02, start: float = 0.0) -> None:
    """Edit as often as the budget allows, with a message always waiting."""
    now = start
    while now < start + seconds:
        now = max(now, budget.ready_at())
        budget.sent(now)
        answer = server.edit(now + way)
        now += 2 * way
        budget.answered(now, answer)


class TestOldEdits:
    @pytest.mark.parametrize(("edits", "seconds", "used"), [(3, 20.0, 0), (3, 20.0, 2), (5, 300.0, 1), (1, 10.0, 0)])
    def test_two_refusals_teach_the_cadence_and_then_none_comes(self, edits: int, seconds: float, used: int) -> None:
        budget, server = OldEdits(), FixedWindow(edits, seconds, used)
        edit_for(3_000, budget, server)
        assert len(server.refusals) == 2
        assert budget.interval is not None
        assert budget.interval == pytest.approx(seconds / edits, rel=0.05)
        known = [at for at in server.accepted if at > 3 * seconds]
        allowed = (3_000 - 3 * seconds) * edits / seconds
        assert len(known) > 0.95 * allowed

    def test_edits_are_free_until_discord_refuses_one(self) -> None:
        budget, server = OldEdits(), FixedWindow(1_000_000, 60.0)
        edit_for(10, budget, server)
        assert budget.interval is None
        assert len(server.accepted) > 200

    def test_one_at_a_time(self) -> None:
        budget = OldEdits()
        budget.sent(10.0)
        assert budget.ready_at() == math.inf
        budget.unused()
        assert budget.ready_at() <= 10.0

    def test_a_limit_that_became_larger_is_found_gently(self) -> None:
        budget, server = OldEdits(), FixedWindow(3, 20.0)
        edit_for(3_000, budget, server)
        server.edits = 6
        edit_for(86_400, budget, server, start=3_000)
        assert budget.interval is not None
        assert budget.interval < 5.0
        assert len(server.refusals) < 12

    def test_trials_become_rare_where_the_limit_stays(self) -> None:
        budget, server = OldEdits(), FixedWindow(3, 20.0)
        edit_for(7 * 86_400, budget, server)
        assert len(server.refusals) < 2 + 12
        assert budget.interval == pytest.approx(20 / 3, rel=0.05)

    def test_a_limit_that_became_smaller_is_followed(self) -> None:
        budget, server = OldEdits(), FixedWindow(6, 20.0)
        edit_for(1_000, budget, server)
        server.edits = 3
        edit_for(2_000, budget, server, start=1_000)
        before = len(server.refusals)
        edit_for(1_000, budget, server, start=3_000)
        assert len(server.refusals) - before <= 1
        assert budget.interval is not None
        assert 6.6 < budget.interval < 10.5

    def test_a_refusal_waits_as_long_as_it_says(self) -> None:
        budget = OldEdits()
        budget.sent(10.0)
        budget.answered(10.1, old_refusal(120.0))
        assert 130.1 <= budget.ready_at() < 130.2
