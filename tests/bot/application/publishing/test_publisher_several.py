"""A dashboard that one message cannot hold: several messages that keep their order, whatever happens to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import MARKER_BASE, DashboardMessage, Placement, PostState
from tests.bot.application.publishing.stage import NEVER, OTHER, Stage, board, running
from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.in_memory import InMemoryPlacements
from tests.support.local_discord import CHANNEL, GUILD
from tests.support.waiting import until

SIZE = 3_000
"""Two such texts do not fit into one message."""


def spread(*names: str, **fields: Any) -> Dashboard:
    """A dashboard with one message for each name."""
    parts = tuple(
        DashboardComponent(10 + index, 1, "text", position=index, config={"text": name + "x" * SIZE})
        for index, name in enumerate(names)
    )
    return board(components=parts, **fields)


def names(stage: Stage, channel_id: int = CHANNEL) -> list[str]:
    """What the messages are called, in the order in which Discord shows them."""
    return [text.rstrip("x") for text in stage.texts(channel_id)]


def rows(stage: Stage, *channels: int) -> list[DashboardMessage]:
    """The rows of the messages of dashboard 1, in these channels or in all."""
    mine = [row for row in stage.placements.placements.values() if row.dashboard_id == 1]
    wanted = {row.id: row.channel_id for row in mine if row.channel_id in channels or not channels}
    found = (row for row in stage.placements.messages.values() if row.placement_id in wanted)
    return sorted(found, key=lambda row: (wanted[row.placement_id], row.position))


def remembers(stage: Stage) -> bool:
    """Whether the rows say what is there, in its order, and nothing is left to do."""
    posted = all(row.state == PostState.POSTED and row.content_hash for row in rows(stage))
    return posted and [row.message_id for row in rows(stage, CHANNEL)] == stage.ids()


async def shows(stage: Stage, *expected: str) -> None:
    await until(
        lambda: names(stage) == list(expected) and remembers(stage),
        lambda: f"{expected}, not {names(stage)} and {rows(stage)}",
    )


async def test_the_messages_are_posted_in_order_each_with_its_row(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
        assert [row.position for row in rows(stage)] == [0, 1, 2]
        markers = [server.channels[CHANNEL].messages[number]["components"][0]["id"] for number in stage.ids()]
        assert markers == [MARKER_BASE + row.id for row in rows(stage)]
        assert len({row.content_hash for row in rows(stage)}) == 3
        await stage.idle()
        assert (len(server.posts), server.edit_count()) == (3, 0)


async def test_nothing_is_sent_after_a_restart_when_nothing_changed(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
    async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
        await again.idle()
        assert (len(server.posts), server.edit_count()) == (3, 0)
        assert server.look_count == 3


async def test_only_the_part_that_changed_is_edited(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
        first, middle, last = stage.ids()
        await stage.define(spread("a", "B", "c"))
        await shows(stage, "a", "B", "c")
        assert [message_id for _, _, message_id in server.edits] == [middle]
        assert stage.ids() == [first, middle, last]


async def test_it_grows_behind_and_shrinks_from_behind(server: DiscordServer) -> None:
    async with running(server, spread("a")) as stage:
        await shows(stage, "a")
        (first,) = stage.ids()
        await stage.define(spread("a", "b", "c"))
        await shows(stage, "a", "b", "c")
        assert stage.ids()[0] == first
        await stage.define(spread("a"))
        await shows(stage, "a")
        assert stage.ids() == [first]
        assert len(rows(stage)) == 1
        assert (len(server.posts), server.edit_count()) == (3, 0)


async def test_the_time_of_the_last_change_moves_to_the_last_message(server: DiscordServer) -> None:
    async with running(server, spread("a", layout={"footer": True})) as stage:
        await until(lambda: stage.texts() and "Last change" in stage.texts()[0], stage.texts)
        await stage.define(spread("a", "b", layout={"footer": True}))
        await until(
            lambda: ["Last change" in text for text in stage.texts()] == [False, True], lambda: str(stage.texts())
        )


@pytest.mark.parametrize("deleted", [0, 1, 2])
async def test_a_deleted_message_and_those_behind_it_are_posted_anew(server: DiscordServer, deleted: int) -> None:
    async with running(server, spread("a", "b", "c", refresh_rate=NEVER)) as stage:
        await shows(stage, "a", "b", "c")
        before = stage.ids()
        del server.channels[CHANNEL].messages[before[deleted]]
        stage.publisher.message_deleted(before[deleted])
        await until(lambda: len(server.posts) > 3, "another message")
        await shows(stage, "a", "b", "c")
        assert stage.ids()[:deleted] == before[:deleted]
        assert not set(stage.ids()[deleted:]) & set(before)
        assert len(server.posts) == 3 + 3 - deleted


async def test_all_deleted_at_once_come_back_in_order(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c", refresh_rate=NEVER)) as stage:
        await shows(stage, "a", "b", "c")
        before = stage.ids()
        server.channels[CHANNEL].messages.clear()
        for message_id in reversed(before):
            stage.publisher.message_deleted(message_id)
        await until(lambda: len(server.posts) >= 6, "other messages")
        await shows(stage, "a", "b", "c")
        assert len(server.posts) == 6


async def test_a_deletion_while_the_bot_was_away_is_found_and_put_in_order(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
    del server.channels[CHANNEL].messages[stage.ids()[1]]
    async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
        await shows(again, "a", "b", "c")


async def test_the_messages_go_and_come_together(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
        await stage.define(spread("a", "b", "c", channel_id=OTHER))
        await until(lambda: names(stage, OTHER) == ["a", "b", "c"] and not stage.ids(), stage.texts)
        await until(lambda: len(rows(stage)) == 3, "three rows")
        await stage.define(spread("a", "b", "c", enabled=False))
        await until(lambda: not stage.ids(OTHER) and not stage.placements.placements, "nothing")


async def test_what_a_user_removed_stays_removed_as_a_whole(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c"), board("Stays", 2, channel_id=OTHER)) as stage:
        await shows(stage, "a", "b", "c")
        assert await stage.publisher.remove(1, CHANNEL)
        assert stage.ids() == []
        assert rows(stage) == []
        assert stage.placement().removed
        await stage.define(spread("a", "B"))
        await stage.idle()
        assert stage.ids() == []
        placement = await stage.publisher.place(1, CHANNEL)
        assert placement.state == PostState.POSTED
        assert names(stage) == ["a", "B"]


async def test_a_removal_is_remembered_before_anything_is_deleted(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
        seen = []

        async def look(request: web.Request) -> None:
            seen.append((request.method, stage.placement().removed))

        server.before_answer = look
        assert await stage.publisher.remove(1, CHANNEL)
        assert seen == [("DELETE", True)] * 3


async def test_a_removal_that_was_interrupted_is_finished(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", "c")) as stage:
        await shows(stage, "a", "b", "c")
    removed = replace(stage.placement(), removed=True)
    stage.placements.placements[removed.id] = removed
    async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
        await until(lambda: not again.ids() and not rows(again), "nothing but the row that remembers it")
        assert again.placement() == removed


async def test_placing_tells_what_is_wrong_with_any_message(server: DiscordServer) -> None:
    async with running(server, spread("a", "b", channel_id=None)) as stage:
        placement = await stage.publisher.place(1, OTHER)
        assert placement.state == PostState.POSTED
        assert names(stage, OTHER) == ["a", "b"]
        server.channels[OTHER].refuses = (403, 50013, "Missing Permissions")
        await stage.define(spread("a", "B", channel_id=None))
        await until(lambda: any(row.error for row in rows(stage)), "the error")
        assert "lacks a permission" in ((await stage.publisher.place(1, OTHER)).error or "")


class TestCrashes:
    async def test_a_message_that_was_sent_before_a_crash_is_adopted_in_its_place(self, server: DiscordServer) -> None:
        async with running(server, spread("a", "b", "c")) as stage:
            await shows(stage, "a", "b", "c")
        lost = rows(stage)[2]
        stage.placements.messages[lost.id] = DashboardMessage(lost.id, lost.placement_id, 2)
        async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
            await shows(again, "a", "b", "c")
            assert len(server.posts) == 3

    async def test_a_row_whose_message_was_not_sent_is_posted_behind(self, server: DiscordServer) -> None:
        async with running(server, spread("a")) as stage:
            await shows(stage, "a")
        stage.placements.messages[77] = DashboardMessage(77, stage.placement().id, 1)
        async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
            await shows(again, "a", "b", "c")
            assert len(server.posts) == 3
            assert rows(again)[1].id == 77

    async def test_a_middle_row_that_is_gone_is_made_anew_and_the_order_mended(self, server: DiscordServer) -> None:
        async with running(server, spread("a", "b", "c")) as stage:
            await shows(stage, "a", "b", "c")
        orphan = rows(stage)[1]
        del stage.placements.messages[orphan.id]
        del server.channels[CHANNEL].messages[orphan.message_id or 0]
        async with running(server, spread("a", "b", "c"), placements=stage.placements) as again:
            await shows(again, "a", "b", "c")

    async def test_an_answer_that_was_lost_makes_no_double(self, server: DiscordServer) -> None:
        server.failures = [0, -500, 0]
        async with running(server, spread("a", "b", "c")) as stage:
            await shows(stage, "a", "b", "c")
            assert len(server.posts) == 3


class TestRenewal:
    async def test_all_are_renewed_in_order_and_pins_kept(self, server: DiscordServer) -> None:
        posted_at = datetime.now(UTC) - timedelta(hours=2)
        old = [server.seed(CHANNEL, {"components": []}, 7_200 - number) for number in range(3)]
        server.channels[CHANNEL].messages[old[1]]["pinned"] = True
        messages = tuple(
            DashboardMessage(number, 1, number, PostState.POSTED, message_id, posted_at=posted_at)
            for number, message_id in enumerate(old)
        )
        placements = InMemoryPlacements([Placement(1, 1, CHANNEL, messages=messages)])
        async with running(server, spread("a", "b", "c", renew_after=3_600), placements=placements) as stage:
            await until(lambda: not set(stage.ids()) & set(old), "other messages")
            await shows(stage, "a", "b", "c")
            pinned = [server.channels[CHANNEL].messages[number]["pinned"] for number in stage.ids()]
            assert pinned == [False, True, False]
            await stage.idle()
            assert len(server.posts) == 3

    async def test_the_order_is_mended_when_the_database_is_back(self, server: DiscordServer) -> None:
        async with running(server, spread("a", "b", "c")) as stage:
            await shows(stage, "a", "b", "c")
            (shown,) = [shown for entry in stage.publisher._schedule for shown in entry.channels]
            stage.placements.away = True
            gone = stage.ids()[0]
            del server.channels[CHANNEL].messages[gone]
            stage.publisher.message_deleted(gone)
            await until(lambda: names(stage) == ["b", "c", "a"], lambda: str(names(stage)))
            stage.placements.away = False
            await until(lambda: all(row.message_id != gone for row in rows(stage)), "the row to be written")
            shown.order_at = 0.0
            stage.publisher.refresh(1)
            await shows(stage, "a", "b", "c")


class TestPages:
    def paged(self, **fields: Any) -> Dashboard:
        """Two pages of two messages, and one of one."""
        parts = [("one", "a"), ("one", "b"), ("two", "A"), ("two", "B"), ("three", "c")]
        components = tuple(
            DashboardComponent(10 + index, 1, "text", position=index, page=page, config={"text": name + "x" * SIZE})
            for index, (page, name) in enumerate(parts)
        )
        return board(components=components, **fields)

    @pytest.mark.parametrize("clicked", [0, 1])
    async def test_a_page_is_turned_on_all_messages(self, server: DiscordServer, clicked: int) -> None:
        async with running(server, self.paged(refresh_rate=NEVER)) as stage:
            await shows(stage, "a", "b")
            await stage.known()
            turn = await stage.publisher.show_page(stage.ids()[clicked], "two")
            assert turn is not None
            assert turn.marker == MARKER_BASE + rows(stage)[clicked].id
            other = stage.ids()[1 - clicked]
            await until(lambda: [message_id for _, _, message_id in server.edits] == [other], "the other to follow")
            turn.settle(delivered=True)
            await until(lambda: stage.placement().page == "two", "the page to be stored")
            assert {placement.page for placement in stage.publisher.placements_of(1)} == {"two"}
            await stage.define(self.paged(refresh_rate=NEVER, description="Changed"))
            await until(lambda: all(row.content_hash for row in rows(stage)), "the rows")
            assert server.edit_count() == 1

    async def test_a_page_with_fewer_messages_takes_the_others_away(self, server: DiscordServer) -> None:
        async with running(server, self.paged()) as stage:
            await shows(stage, "a", "b")
            await stage.known()
            turn = await stage.publisher.show_page(stage.ids()[1], "three")
            assert turn is not None
            turn.settle(delivered=True)
            await shows(stage, "c")
            await stage.known()
            turn = await stage.publisher.show_page(stage.ids()[0], "one")
            assert turn is not None
            turn.settle(delivered=False)
            await shows(stage, "a", "b")


async def test_growing_waits_for_the_database_and_the_rest_goes_on(server: DiscordServer) -> None:
    async with running(server, spread("a")) as stage:
        await shows(stage, "a")
        stage.placements.away = True
        await stage.define(spread("A", "b"))
        await until(lambda: names(stage) == ["A"], lambda: str(names(stage)))
        stage.placements.away = False
        await stage.define(spread("A", "b", description="Changed"))
        await shows(stage, "A", "b")


async def test_a_refused_message_says_so_and_the_others_stand(server: DiscordServer) -> None:
    server.refuse_text = "unwanted" + "x" * SIZE
    async with running(server, spread("a", "unwanted", "c")) as stage:
        await until(
            lambda: ["cannot be shown" in text for text in stage.texts()] == [False, True, False],
            lambda: str(stage.texts()),
        )
        await until(lambda: "Invalid Form Body" in (rows(stage)[1].error or ""), "the error to be stored")
        assert rows(stage)[0].error is None
        await stage.define(spread("a", "b", "c"))
        await shows(stage, "a", "b", "c")
        await until(lambda: not any(row.error for row in rows(stage)), "the error to be cleared")


async def test_the_placement_tells_the_problems_of_all(server: DiscordServer) -> None:
    broken = DashboardComponent(99, 1, "no_such_type", position=9, name="CPU")
    whole = spread("a", "b")
    async with running(server, whole) as stage:
        await shows(stage, "a", "b")
        await stage.define(board(components=(*whole.components, broken)))
        await until(lambda: [problem["title"] for problem in stage.placement().problems] == ["CPU"], "the problem")
        await stage.define(whole)
        await until(lambda: not stage.placement().problems, "the problems to be cleared")


EVENTS = st.lists(
    st.one_of(
        st.integers(1, 4).map(lambda count: ("define", count)),
        st.integers(0, 3).map(lambda index: ("delete", index)),
        st.integers(0, 3).map(lambda index: ("delete unseen", index)),
        st.just(("restart", 0)),
        st.just(("lose an answer", 0)),
    ),
    max_size=8,
)


@given(EVENTS)
@settings(max_examples=25, deadline=None)
def test_whatever_happens_each_part_is_there_once_and_in_order(events: list[tuple[str, int]]) -> None:
    asyncio.run(_play(events))


async def _play(events: list[tuple[str, int]]) -> None:
    async with DiscordServer(GUILD, [CHANNEL, OTHER], Limits(route_requests=10_000)) as server:
        placements, count, done = InMemoryPlacements(), 2, 0
        while True:
            current = spread(*(f"{done}-{number} " for number in range(count)))
            async with running(server, current, placements=placements) as stage:
                while done < len(events):
                    event, number = events[done]
                    done += 1
                    if event == "restart":
                        break
                    if event == "define":
                        count = number
                        current = spread(*(f"{done}-{part} " for part in range(count)))
                        await stage.define(current)
                    elif event.startswith("delete") and number < len(stage.ids()):
                        message_id = stage.ids()[number]
                        del server.channels[CHANNEL].messages[message_id]
                        if event == "delete":
                            stage.publisher.message_deleted(message_id)
                    elif event == "lose an answer":
                        server.failures.append(-500)
                    await asyncio.sleep(0.002 * number)
                else:
                    last = [f"end-{number} " for number in range(count)]
                    await stage.define(spread(*last))
                    await shows(stage, *last)
                    return
