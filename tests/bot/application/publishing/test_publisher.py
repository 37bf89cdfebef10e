from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.bot.application.publishing import publisher
from app.bot.application.publishing.publisher import UnknownPlacementError
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.domain.changes import Change
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import MARKER_BASE, PostState
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from tests.bot.application.publishing.stage import FAST, NEVER, OTHER, board, paged, running
from tests.support.discord.server import DiscordServer
from tests.support.in_memory import InMemoryDashboards, InMemoryPlacements, placed
from tests.support.local_discord import CHANNEL
from tests.support.waiting import until


class TestShowing:
    async def test_a_dashboard_is_posted_and_remembered(self, server: DiscordServer) -> None:
        async with running(server, board("Hello")) as stage:
            row = await stage.stored(PostState.POSTED)
            assert stage.texts() == ["Hello"]
            assert row.message_id == stage.ids()[0]
            assert row.content_hash
            assert row.posted_at
            ((_, _, body),) = server.bodies
            assert body["components"][0]["id"] == MARKER_BASE + row.id

    async def test_nothing_is_sent_while_nothing_changes(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
            await stage.idle()
            assert (len(server.posts), server.edit_count()) == (1, 0)

    async def test_nothing_is_sent_after_a_restart_when_nothing_changed(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
        async with running(server, board(), placements=stage.placements) as again:
            await again.idle()
            assert (len(server.posts), server.edit_count()) == (1, 0)
            assert again.row() == stage.row()

    async def test_a_changed_definition_is_shown_at_once(self, server: DiscordServer) -> None:
        async with running(server, board("Hello", refresh_rate=NEVER)) as stage:
            await stage.showing("Hello")
            await stage.define(board("Changed", refresh_rate=NEVER))
            await stage.showing("Changed")
            assert server.edit_count() == 1

    async def test_a_reading_does_not_change_a_dashboard_more_often_than_its_refresh_rate(
        self, server: DiscordServer
    ) -> None:
        part = DashboardComponent(10, 1, "metric", config={"source": "lab", "metric": "load"})
        tireless = board("Hello", 2, channel_id=OTHER)
        async with running(server, board(components=(part,), refresh_rate=NEVER), tireless) as stage:
            await stage.stored(PostState.POSTED)
            stage.read(17)
            await stage.idle()
            assert server.edit_count() == 0, "it was posted just now"

    async def test_a_dashboard_follows_its_readings_by_itself(self, server: DiscordServer) -> None:
        part = DashboardComponent(10, 1, "metric", config={"source": "lab", "metric": "load"})
        async with running(server, board(components=(part,))) as stage:
            await stage.stored(PostState.POSTED)
            stage.put(17)
            await until(lambda: "17" in stage.texts()[0], "the reading")

    async def test_a_reading_reaches_a_rested_dashboard_without_waiting_for_its_turn(
        self, server: DiscordServer
    ) -> None:
        part = DashboardComponent(10, 1, "metric", config={"source": "lab", "metric": "load"})
        placements = InMemoryPlacements()
        async with running(server, board(components=(part,)), placements=placements) as stage:
            await stage.stored(PostState.POSTED)
        async with running(server, board(components=(part,), refresh_rate=NEVER), placements=placements) as stage:
            await until(lambda: server.look_count == 1, "the look at the message that stands")
            stage.read(17)
            await until(lambda: "17" in stage.texts()[0], "the reading")

    async def test_templates_that_change_by_themselves_follow_the_refresh_rate(self, server: DiscordServer) -> None:
        async with running(server, board("{{ now }}")) as stage:
            await until(lambda: server.edit_count() >= 3, "edits")
            assert len(stage.texts()) == 1

    async def test_problems_are_drawn_and_stored(self, server: DiscordServer) -> None:
        broken = DashboardComponent(10, 1, "no_such_type", name="CPU")
        async with running(server, board(components=(broken,))) as stage:
            await stage.stored(PostState.POSTED)
            assert "no\\_such\\_type" in stage.texts()[0]
            await until(lambda: [problem["title"] for problem in stage.placement().problems] == ["CPU"], "the problem")
            await stage.define(board("Repaired"))
            await stage.showing("Repaired")
            await until(lambda: not stage.placement().problems, "the problems to be cleared")

    async def test_refresh_looks_at_once(self, server: DiscordServer) -> None:
        async with running(server, board("{{ metric('lab', 'load') }}", refresh_rate=NEVER)) as stage:
            await stage.stored(PostState.POSTED)
            stage.put(5)
            stage.publisher.refresh(1)
            await stage.showing("5")

    async def test_a_thousand_dashboards_leave_the_loop_to_others(self, server: DiscordServer) -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        boards = [board(number=number, channel_id=None) for number in range(1, 1_001)]
        async with running(server, *boards) as stage:
            for dashboard in boards:
                stage.dashboards.rows[dashboard.id] = replace(dashboard, name="Changed")
            others = asyncio.create_task(count())
            await stage.definitions.reload()
            before = turns
            await until(lambda: turns > before + 1_000, "turns of others between the dashboards")
            others.cancel()

    async def test_it_can_be_stopped_and_run_again(self, server: DiscordServer) -> None:
        async with running(server, board("Hello", refresh_rate=NEVER)) as stage:
            await stage.showing("Hello")
        again = asyncio.create_task(stage.publisher.run())
        await until(lambda: stage.publisher.placements_of(1), "the placements")
        again.cancel()
        await asyncio.wait({again})
        assert len(server.posts) == 1


class TestPlaces:
    async def test_a_dashboard_moves_with_its_channel(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            await stage.define(board(channel_id=OTHER))
            await stage.showing("Hello", channel_id=OTHER)
            await stage.showing()
            await until(lambda: [row.channel_id for row in stage.placements.placements.values()] == [OTHER], "one row")

    async def test_a_dashboard_that_is_switched_off_goes_and_comes_back(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            await stage.define(board(enabled=False))
            await stage.showing()
            await until(lambda: not stage.placements.placements, "no row")
            await stage.define(board())
            await stage.showing("Hello")

    async def test_a_deleted_dashboard_takes_its_message_along(self, server: DiscordServer) -> None:
        async with running(server, board(), board("Stays", 2)) as stage:
            await stage.showing("Hello", "Stays")
            await stage.undefine(1)
            await stage.showing("Stays")
            assert stage.publisher.placements_of(1) == ()

    async def test_what_changed_while_the_bot_was_away_is_made_up_for(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
        async with running(server, board(channel_id=OTHER), placements=stage.placements) as again:
            await again.showing("Hello", channel_id=OTHER)
            await again.showing()

    async def test_what_a_user_removed_stays_removed(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            assert await stage.publisher.remove(1, CHANNEL)
            assert stage.texts() == []
            assert not await stage.publisher.remove(1, CHANNEL)
            await stage.define(board("Changed"))
            await until(lambda: stage.placement().removed and not stage.rows(), "the removal to be stored")
        async with running(server, board("Changed"), board("Other", 2), placements=stage.placements) as again:
            await again.showing("Other")
            await again.idle()
            assert again.texts() == ["Other"]

    async def test_what_was_removed_can_be_placed_again(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            await stage.publisher.remove(1, CHANNEL)
            placement = await stage.publisher.place(1, CHANNEL)
            assert placement.state == PostState.POSTED
            assert stage.texts() == ["Hello"]
            assert [message.message_id for message in placement.messages] == stage.ids()

    async def test_a_command_places_a_dashboard_besides_where_its_definition_wants_it(
        self, server: DiscordServer
    ) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            placement = await stage.publisher.place(1, OTHER)
            assert (placement.state, placement.origin) == (PostState.POSTED, "command")
            assert stage.texts(OTHER) == ["Hello"]
            await stage.define(board("Changed", channel_id=None))
            await stage.showing("Changed", channel_id=OTHER)
            await stage.showing()
            await stage.define(board(channel_id=None, enabled=False))
            await stage.showing(channel_id=OTHER)
            await until(lambda: not stage.placements.placements, "no row")

    async def test_placing_twice_is_placing_once(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.showing("Hello")
            placements = await asyncio.gather(*(stage.publisher.place(1, OTHER) for _ in range(5)))
            assert len({placement.id for placement in placements}) == 1
            assert len(stage.texts(OTHER)) == 1

    async def test_what_does_not_exist_cannot_be_placed(self, server: DiscordServer) -> None:
        async with running(server, board(enabled=False)) as stage:
            for dashboard_id in (1, 2):
                with pytest.raises(UnknownPlacementError):
                    await stage.publisher.place(dashboard_id, CHANNEL)

    async def test_placing_tells_why_it_did_not_work(self, server: DiscordServer) -> None:
        server.channels[OTHER].refuses = (403, 50013, "Missing Permissions")
        async with running(server, board()) as stage:
            placement = await stage.publisher.place(1, OTHER)
            assert placement.state == PostState.FAILED
            assert "lacks a permission" in (placement.error or "")


class TestPages:
    async def test_a_page_is_remembered_and_needs_no_edit(self, server: DiscordServer) -> None:
        async with running(server, paged("one", "two")) as stage:
            await stage.showing("This is one")
            await stage.known()
            turn = await stage.publisher.show_page(stage.ids()[0], "two")
            assert turn is not None
            await stage.idle()
            assert server.edit_count() == 0, "the answer to the click is on its way"
            turn.settle(delivered=True)
            assert stage.publisher.placements_of(1)[0].messages[0].content_hash == turn.view.fingerprint
            await stage.idle()
            assert server.edit_count() == 0, "the answer to the click shows the page already"
            await until(lambda: stage.placement().page == "two", "the page to be stored")
            await stage.define(paged("one", "two", description="Changed"))
            await stage.idle()
            assert server.edit_count() == 0

    async def test_an_answer_of_before_a_restart_of_the_service_changes_no_row(self, server: DiscordServer) -> None:
        async with running(server, paged("one", "two")) as stage:
            await stage.showing("This is one")
            turn = await stage.publisher.show_page(stage.ids()[0], "two")
            assert turn is not None
            await stage.restart()
            await stage.showing("This is two")
            await stage.idle()
            row = stage.row()
            turn.settle(delivered=False)
            await stage.idle()
            assert stage.row() == row

    async def test_the_page_survives_a_restart_and_a_change(self, server: DiscordServer) -> None:
        async with running(server, paged("one", "two")) as stage:
            await stage.showing("This is one")
            await stage.known()
            await stage.publisher.show_page(stage.ids()[0], "two")
        async with running(server, paged("zero", "two"), placements=stage.placements) as again:
            await again.idle()
            assert again.placement().page == "two"

    async def test_an_unknown_page_is_the_first_and_an_unknown_message_none(self, server: DiscordServer) -> None:
        async with running(server, paged("one", "two")) as stage:
            await stage.showing("This is one")
            await stage.known()
            await stage.publisher.show_page(stage.ids()[0], "nine")
            assert stage.publisher.placements_of(1)[0].page is None
            assert await stage.publisher.show_page(1, "one") is None

    async def test_an_edit_that_was_on_its_way_when_the_page_changed_is_put_right(self, server: DiscordServer) -> None:
        async with running(server, paged("one", "two", refresh_rate=NEVER)) as stage:
            await stage.showing("This is one")
            await stage.known()
            arrived, go_on = asyncio.Event(), asyncio.Event()

            async def hold(_request: object) -> None:
                arrived.set()
                await go_on.wait()

            server.before_answer = hold
            await stage.define(paged("first", "two", refresh_rate=NEVER))
            await arrived.wait()
            turn = await stage.publisher.show_page(stage.ids()[0], "two")
            assert turn is not None
            turn.settle(delivered=True)
            server.before_answer = None
            go_on.set()
            await stage.showing("This is two")


class TestCrashes:
    async def test_a_message_that_was_sent_before_a_crash_is_adopted(self, server: DiscordServer) -> None:
        placements = InMemoryPlacements([placed(7, 1, CHANNEL)])
        sent = server.seed(CHANNEL, {"components": [{"type": 10, "content": "Old", "id": MARKER_BASE + 7}]})
        async with running(server, board(), placements=placements) as stage:
            row = await stage.stored(PostState.POSTED)
            assert row.message_id == sent
            await stage.showing("Hello")
            assert server.posts == []

    async def test_a_message_that_was_not_sent_before_a_crash_is_posted(self, server: DiscordServer) -> None:
        placements = InMemoryPlacements([placed(7, 1, CHANNEL)])
        async with running(server, board(), placements=placements) as stage:
            await stage.showing("Hello")
            assert stage.row().id == 7

    async def test_a_message_whose_answer_was_lost_is_adopted_instead_of_posted_twice(
        self, server: DiscordServer
    ) -> None:
        server.failures = [-500]  # done, but answered with an error
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
            await stage.idle()
            assert len(server.posts) == 1
            assert stage.texts() == ["Hello"]

    async def test_a_removal_that_was_interrupted_is_finished(self, server: DiscordServer) -> None:
        sent = server.seed(CHANNEL, {"components": [{"type": 10, "content": "Old", "id": MARKER_BASE + 7}]})
        removed = placed(7, 1, CHANNEL, removed=True, state=PostState.POSTED, message_id=sent)
        async with running(server, board(), placements=InMemoryPlacements([removed])) as stage:
            await stage.showing()
            await until(lambda: not stage.rows(), "the row to be forgotten")
            assert stage.placement().removed

    async def test_a_renewal_that_was_interrupted_leaves_one_message(self, server: DiscordServer) -> None:
        body = {"components": [{"type": 10, "content": "Hello", "id": MARKER_BASE + 7}]}
        old, new = server.seed(CHANNEL, body, 7_200), server.seed(CHANNEL, body)
        server.channels[CHANNEL].messages[old]["pinned"] = True
        renewing = placed(7, 1, CHANNEL, message_id=old, posted_at=datetime.now(UTC) - timedelta(hours=2))
        async with running(server, board(), placements=InMemoryPlacements([renewing])) as stage:
            row = await stage.stored(PostState.POSTED)
            assert (row.message_id, stage.ids()) == (new, [new])
            assert server.channels[CHANNEL].messages[new]["pinned"]

    async def test_a_renewal_that_had_not_begun_keeps_the_old_message(self, server: DiscordServer) -> None:
        old = server.seed(CHANNEL, {"components": [{"type": 10, "content": "Hello", "id": MARKER_BASE + 7}]}, 7_200)
        renewing = placed(7, 1, CHANNEL, message_id=old, posted_at=datetime.now(UTC) - timedelta(hours=2))
        async with running(server, board(), placements=InMemoryPlacements([renewing])) as stage:
            row = await stage.stored(PostState.POSTED)
            assert (row.message_id, server.posts) == (old, [])


class TestRenewal:
    async def test_a_message_older_than_renew_after_is_posted_anew_and_the_pin_kept(
        self, server: DiscordServer
    ) -> None:
        old = server.seed(CHANNEL, {"components": []}, 7_200)
        server.channels[CHANNEL].messages[old]["pinned"] = True
        posted = placed(
            7, 1, CHANNEL, state=PostState.POSTED, message_id=old, posted_at=datetime.now(UTC) - timedelta(hours=2)
        )
        async with running(server, board(renew_after=3_600), placements=InMemoryPlacements([posted])) as stage:
            await until(lambda: stage.ids() not in ([old], []) and len(stage.ids()) == 1, "one new message")
            await until(lambda: stage.row().message_id == stage.ids()[0], "the row to know it")
            assert stage.row().state == PostState.POSTED
            assert server.channels[CHANNEL].messages[stage.ids()[0]]["pinned"]
            await stage.showing("Hello")
            await stage.idle()
            assert len(server.posts) == 1, "a young message is not renewed"

    async def test_without_renew_after_a_message_stays(self, server: DiscordServer) -> None:
        old = server.seed(CHANNEL, {"components": []}, 7_200)
        posted = placed(7, 1, CHANNEL, state=PostState.POSTED, message_id=old)
        async with running(server, board(), placements=InMemoryPlacements([posted])) as stage:
            await stage.showing("Hello")
            await stage.idle()
            assert stage.ids() == [old]

    async def test_nothing_is_renewed_while_the_row_cannot_say_so(self, server: DiscordServer) -> None:
        old = server.seed(CHANNEL, {"components": []}, 7_200)
        posted = placed(7, 1, CHANNEL, state=PostState.POSTED, message_id=old)
        async with running(server, board(), placements=InMemoryPlacements([posted])) as stage:
            await stage.showing("Hello")
            stage.placements.away = True
            await stage.define(board("Changed", renew_after=3_600))
            await stage.showing("Changed")
            await stage.idle()
            assert stage.ids() == [old]


class TestDeletions:
    async def test_a_deleted_message_is_posted_anew(self, server: DiscordServer) -> None:
        async with running(server, board(refresh_rate=NEVER)) as stage:
            first = (await stage.stored(PostState.POSTED)).message_id
            assert first is not None
            del server.channels[CHANNEL].messages[first]
            stage.publisher.message_deleted(first)
            await until(lambda: stage.ids() not in ([], [first]), "another message")
            await until(lambda: stage.row().message_id == stage.ids()[0], "the row to know it")
            assert stage.texts() == ["Hello"]

    async def test_a_deletion_that_nobody_reported_is_found_by_the_next_edit(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
            server.channels[CHANNEL].messages.clear()
            await stage.define(board("Changed"))
            await stage.showing("Changed")

    async def test_a_deletion_while_the_bot_was_away_is_found_at_the_start(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
        server.channels[CHANNEL].messages.clear()
        async with running(server, board(), placements=stage.placements) as again:
            await again.showing("Hello")

    async def test_messages_of_others_are_none_of_its_business(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
            stage.publisher.message_deleted(1)
            await stage.idle()
            assert len(server.posts) == 1

    async def test_who_deletes_it_again_and_again_is_given_way(self, server: DiscordServer) -> None:
        async with running(server, board(), board("Stays", 2, channel_id=OTHER)) as stage:
            for _ in range(4):
                await until(stage.ids, "a message")
                message_id = stage.ids()[0]
                await until(lambda number=message_id: stage.row().message_id == number, "the row to know it")
                del server.channels[CHANNEL].messages[message_id]
                stage.publisher.message_deleted(message_id)
            await stage.idle()
            assert stage.ids() == []
            assert len(server.posts) == 4 + 1

    async def test_a_deleted_channel_fails_readably_and_is_left_alone(self, server: DiscordServer) -> None:
        async with running(server, board("{{ now }}"), board("Stays", 2, channel_id=OTHER)) as stage:
            await stage.showing("Stays", channel_id=OTHER)
            await stage.stored(PostState.POSTED)
            del server.channels[CHANNEL]
            stage.publisher.channel_deleted(CHANNEL)
            row = await stage.stored(PostState.FAILED)
            assert row.error is not None
            assert "Choose another channel" in row.error
            before = stage.requests
            await stage.idle()
            assert stage.requests == before, "no hammering"
            await stage.define(board("Moved", channel_id=OTHER))
            await stage.showing("Stays", "Moved", channel_id=OTHER)


class TestFailures:
    async def test_a_missing_permission_fails_readably_and_is_tried_again_after_a_change(
        self, server: DiscordServer
    ) -> None:
        server.channels[CHANNEL].refuses = (403, 50013, "Missing Permissions")
        with capture_logs() as logs:
            async with running(server, board(), board("Stays", 2, channel_id=OTHER)) as stage:
                row = await stage.stored(PostState.FAILED)
                assert "lacks a permission" in (row.error or "")
                await stage.showing("Stays", channel_id=OTHER)
                before = stage.requests
                await stage.idle()
                assert stage.requests == before, "no hammering"
                server.channels[CHANNEL].refuses = None
                await stage.define(board("Changed"))
                await stage.showing("Changed")
                assert (await stage.stored(PostState.POSTED)).error is None
                await until(lambda: len(_about(logs)) == 2, lambda: f"one line for each turn, not {logs}")
        assert [entry["log_level"] for entry in _about(logs)] == ["warning", "info"]

    async def test_a_permission_that_was_granted_is_used_when_the_channel_changes(self, server: DiscordServer) -> None:
        server.channels[CHANNEL].refuses = (403, 50001, "Missing Access")
        async with running(server, board()) as stage:
            await stage.stored(PostState.FAILED)
            server.channels[CHANNEL].refuses = None
            stage.publisher.channel_changed(CHANNEL)
            await stage.showing("Hello")

    async def test_a_refused_permission_is_tried_again_after_its_pause(self, server: DiscordServer) -> None:
        server.channels[CHANNEL].refuses = (403, 50013, "Missing Permissions")
        quick = FAST.model_copy(update={"refused_pause_seconds": 0.1})
        async with running(server, board(refresh_rate=NEVER), config=quick) as stage:
            await stage.stored(PostState.FAILED)
            server.channels[CHANNEL].refuses = None
            await stage.showing("Hello")

    async def test_another_config_counts_from_the_next_failure_on(self, server: DiscordServer) -> None:
        async with running(server, board(refresh_rate=NEVER)) as stage:
            await stage.stored(PostState.POSTED)
            stage.publisher.configure(FAST.model_copy(update={"refused_pause_seconds": 0.1}))
            server.channels[CHANNEL].refuses = (403, 50013, "Missing Permissions")
            await stage.define(board("Changed", refresh_rate=NEVER))
            await stage.stored(PostState.FAILED)
            server.channels[CHANNEL].refuses = None
            await stage.showing("Changed")

    async def test_a_message_that_stood_and_lost_its_permission_recovers_without_an_edit(
        self, server: DiscordServer
    ) -> None:
        quick = FAST.model_copy(update={"refused_pause_seconds": 0.1})
        async with running(server, board(), config=quick) as stage:
            await stage.stored(PostState.POSTED)
            server.channels[CHANNEL].refuses = (403, 50001, "Missing Access")
            await stage.define(board("Changed"))
            await stage.stored(PostState.FAILED)
            await stage.define(board("Hello"))
            server.channels[CHANNEL].refuses = None
            await stage.stored(PostState.POSTED)
            assert stage.row().error is None
            assert server.edit_count() == 0

    async def test_discord_that_fails_is_tried_again(self, server: DiscordServer) -> None:
        server.failures = [500, 502, 503, 500]
        with capture_logs() as logs:
            async with running(server, board()) as stage:
                await stage.stored(PostState.POSTED)
                await until(lambda: len(_about(logs)) == 2, lambda: f"one line for each turn, not {logs}")
                assert stage.row().error is None
                assert len(server.posts) == 1

    async def test_a_message_that_discord_refuses_says_so_in_its_place(self, server: DiscordServer) -> None:
        server.refuse_text = "unwanted"
        async with running(server, board("Fine"), board("Stays", 2, channel_id=OTHER)) as stage:
            await stage.showing("Fine")
            await stage.define(board("unwanted"))
            await until(lambda: "cannot be shown" in stage.texts()[0], stage.texts)
            assert "Invalid Form Body" in stage.texts()[0]
            await until(lambda: "Invalid Form Body" in (stage.row().error or ""), "the error to be stored")
            assert [problem["title"] for problem in stage.placement().problems] == ["This dashboard cannot be shown"]
            await stage.idle()
            assert server.invalid_count == 1, "tried again only after a pause"
            await stage.define(board("Goes on", 2, channel_id=OTHER))
            await stage.showing("Goes on", channel_id=OTHER)
            await stage.define(board("Fine again"))
            await stage.showing("Fine again")
            await until(lambda: stage.row().error is None, "the error to be cleared")

    async def test_a_first_message_that_discord_refuses_is_posted_as_an_error(self, server: DiscordServer) -> None:
        server.refuse_text = "unwanted"
        async with running(server, board("unwanted")) as stage:
            await until(lambda: stage.texts() and "cannot be shown" in stage.texts()[0], stage.texts)
            assert (await stage.stored(PostState.POSTED)).state == PostState.POSTED

    async def test_a_fault_of_the_product_stops_one_dashboard_only(
        self, server: DiscordServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build = DashboardBuilder.build

        def faulty(self: DashboardBuilder, dashboard: Dashboard, *rest: Any, **more: Any) -> Any:
            if dashboard.id == 1:
                raise RuntimeError("a fault")
            return build(self, dashboard, *rest, **more)

        monkeypatch.setattr(DashboardBuilder, "build", faulty)
        async with running(server, board(), board("Stays", 2)) as stage:
            await stage.showing("Stays")
            await until(
                lambda: any("RuntimeError" in (row.error or "") for row in stage.publisher.placements_of(1)),
                "the fault to be told",
            )
            monkeypatch.undo()
            await until(lambda: sorted(stage.texts()) == ["Hello", "Stays"], stage.texts)


class TestDatabase:
    async def test_dashboards_stay_while_the_database_is_away(self, server: DiscordServer) -> None:
        with capture_logs() as logs:
            async with running(server, board()) as stage:
                await stage.stored(PostState.POSTED)
                stage.placements.away = True
                await stage.define(board("Changed"))
                await stage.showing("Changed")
                first = stage.ids()[0]
                server.channels[CHANNEL].messages.clear()
                stage.publisher.message_deleted(first)
                await stage.showing("Changed")
                assert stage.row().message_id == first
                stage.placements.away = False
                await until(lambda: stage.row().message_id == stage.ids()[0], "the row to follow")
                assert stage.row().content_hash == stage.publisher.placements_of(1)[0].messages[0].content_hash
        assert [entry["log_level"] for entry in logs if "memory of messages" in entry["event"]] == ["warning", "info"]

    async def test_nothing_is_posted_before_its_row_is_there(self, server: DiscordServer) -> None:
        async with running(server) as stage:
            stage.placements.away = True
            await stage.define(board())
            await asyncio.sleep(0.1)
            assert server.posts == []
            stage.placements.away = False
            await stage.showing("Hello")

    async def test_nothing_is_placed_or_removed_before_the_rows_of_earlier_runs_are_known(
        self, server: DiscordServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publisher, "WAIT_SECONDS", 0.05)
        placements = InMemoryPlacements()
        placements.away = True
        async with running(server, board(), placements=placements) as stage:
            for ask in (stage.publisher.place, stage.publisher.remove):
                with pytest.raises(StorageUnavailableError):
                    await ask(1, CHANNEL)
            monkeypatch.undo()
            placements.away = False
            assert (await stage.publisher.place(1, CHANNEL)).state == PostState.POSTED
            assert len(server.posts) == 1

    async def test_a_database_that_is_away_at_the_start_is_waited_for(self, server: DiscordServer) -> None:
        placements = InMemoryPlacements()
        placements.away = True
        async with running(server, board(), placements=placements) as stage:
            await asyncio.sleep(0.05)
            placements.away = False
            await stage.showing("Hello")


def _about(logs: list[Any]) -> list[Any]:
    """Log lines about dashboard 1's message."""
    return [entry for entry in logs if entry.get("dashboard") == 1]


class TestOddRows:
    """Columns whose types someone altered: values that no model expects."""

    @pytest.mark.parametrize("rate", [Decimal("0.02"), "soon", None, float("nan")])
    async def test_an_odd_refresh_rate_takes_no_other_dashboard_down(self, server: DiscordServer, rate: Any) -> None:
        odd = board("Odd", 2, refresh_rate=rate, channel_id=OTHER)
        async with running(server, odd, board("Well")) as stage:
            await stage.showing("Well")
            await stage.showing("Odd", channel_id=OTHER)
            await stage.define(board("Still well"))
            await stage.showing("Still well")

    async def test_an_odd_age_renews_nothing(self, server: DiscordServer) -> None:
        odd: Any = "soon"
        async with running(server, board("Hello", renew_after=odd)) as stage:
            await stage.stored(PostState.POSTED)
            await stage.define(board("Changed", renew_after=odd))
            await stage.showing("Changed")
            assert (len(server.posts), stage.row().error) == (1, None)

    async def test_odd_components_take_no_other_dashboard_down(self, server: DiscordServer) -> None:
        odd = board("Odd", 2, components=("nothing that could be a component",), channel_id=OTHER)
        async with running(server, odd, board("Well")) as stage:
            await stage.showing("Well")
            await stage.define(board("Still well"))
            await stage.showing("Still well")

    async def test_dashboards_that_cannot_be_read_keep_their_messages(
        self, server: DiscordServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)

        async def unreadable(_self: InMemoryDashboards) -> tuple[Dashboard, ...]:
            raise MissingColumnError("no such column")

        monkeypatch.setattr(InMemoryDashboards, "all", unreadable)
        async with running(server, placements=stage.placements) as again:
            before = again.requests
            await again.definitions.apply(Change("dashboards", None))
            await asyncio.sleep(0.2)
            assert again.texts() == ["Hello"]
            assert again.requests == before
            monkeypatch.undo()
            again.dashboards.rows[1] = board("Back")
            await again.definitions.apply(Change("dashboards", None))
            await again.showing("Back")

    async def test_a_dashboard_deleted_while_the_bot_was_away_leaves_no_message(self, server: DiscordServer) -> None:
        async with running(server, board()) as stage:
            await stage.stored(PostState.POSTED)
        async with running(server, placements=stage.placements) as again:
            await again.showing()
            await until(lambda: not again.placements.placements, "the placement forgotten")


async def test_dashboards_that_could_not_be_read_are_looked_at_again(
    server: DiscordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(server, board("{{ metric('lab', 'load') }}")) as stage:
        await stage.stored(PostState.POSTED)
        readable = stage.dashboards.all

        async def gone() -> tuple[Dashboard, ...]:
            raise MissingTableError("There is no table dashboards.")

        monkeypatch.setattr(stage.dashboards, "all", gone)
        await stage.definitions.apply(Change("dashboards", None))
        stage.publisher.refresh(1)
        await asyncio.sleep(0.1)
        monkeypatch.setattr(stage.dashboards, "all", readable)
        await stage.definitions.apply(Change("dashboards", None))
        stage.put(7)
        await stage.showing("7")
