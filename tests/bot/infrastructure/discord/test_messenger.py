from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import discord
import pytest
import simcord

from app.bot.application.publishing.messenger import (
    ChannelGoneError,
    Draw,
    InvalidMessageError,
    MessageGoneError,
    MessengerError,
    NotPermittedError,
    UnavailableError,
)
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import (
    Button,
    Buttons,
    Container,
    Gallery,
    Image,
    Option,
    Section,
    Select,
    Stamp,
    Text,
    View,
)
from app.bot.infrastructure.discord import exchange
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from tests.e2e import openapi
from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.local_discord import CHANNEL, GUILD, logged_in
from tests.support.waiting import until

OTHER = CHANNEL + 1
QUICK = Limits(route_seconds=0.3, global_seconds=0.3, old_edits=2, old_seconds=0.6)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL, OTHER]) as server:
        yield server


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


@pytest.fixture
async def messenger(server: DiscordServer, statistics: Statistics) -> AsyncIterator[DiscordMessenger]:
    async with logged_in(server, statistics) as messenger:
        yield messenger


def text(content: str) -> View:
    return View((Text(content),))


def drawing(view: View | None) -> Draw:
    return lambda: view


def shown(server: DiscordServer, message_id: int, channel_id: int = CHANNEL) -> str:
    content: str = server.channels[channel_id].messages[message_id]["components"][0]["content"]
    return content


async def test_posts_edits_and_deletes(
    server: DiscordServer, messenger: DiscordMessenger, statistics: Statistics
) -> None:
    message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
    assert shown(server, message_id) == "one"
    await messenger.edit(CHANNEL, message_id, drawing(text("two")), 42)
    assert shown(server, message_id) == "two"
    assert (statistics.posts, statistics.edits) == (1, 1)
    await messenger.delete(CHANNEL, message_id)
    assert server.message_count() == 0


async def test_bodies_are_lean_and_mention_nobody(server: DiscordServer, messenger: DiscordMessenger) -> None:
    message_id = await messenger.post(CHANNEL, text("@everyone"), 42, "n1")
    await messenger.edit(CHANNEL, message_id, drawing(text("two")), 42)
    (_, _, posted), (_, _, edited) = server.bodies
    common = {"flags": 1 << 15, "allowed_mentions": {"parse": []}}
    assert posted == {
        "components": [{"type": 10, "content": "@everyone", "id": 42}],
        "nonce": "n1",
        "enforce_nonce": True,
        **common,
    }
    assert edited == {"components": [{"type": 10, "content": "two", "id": 42}], **common}


@pytest.mark.skipif(not openapi.available(), reason="Discord's OpenAPI description is not there")
async def test_discord_describes_every_body(server: DiscordServer, messenger: DiscordMessenger) -> None:
    picture = Image("https://example.com/a.png", "A rack")
    view = View(
        (
            Container((Text("a"), Section((Text("b"),), picture), Stamp("Last change", datetime.now(UTC))), 0x23A55A),
            Gallery((picture,)),
            Buttons((Button("Go", "hl:1:refresh:", emoji="🔥"), Button("Open", url="https://example.com"))),
            Select("hl:1:page:", (Option("One", "one", emoji="<:disk:123456789012345678>"),)),
        )
    )
    message_id = await messenger.post(CHANNEL, view, 42, "n1")
    await messenger.edit(CHANNEL, message_id, drawing(view), 42)
    entries = [
        SimpleNamespace(method=method, path=path.removeprefix("/api/v10"), json=body)
        for method, path, body in server.bodies
    ]
    assert openapi.check_bodies(entries) == 2  # type: ignore[arg-type]  # what is read of an entry is here


async def test_a_repeated_nonce_gives_the_first_message(server: DiscordServer, messenger: DiscordMessenger) -> None:
    first = await messenger.post(CHANNEL, text("one"), 42, "n1")
    assert await messenger.post(CHANNEL, text("one"), 42, "n1") == first
    assert server.message_count() == 1


async def test_the_view_is_drawn_when_its_turn_comes_and_nothing_is_sent_where_there_is_none(
    server: DiscordServer, messenger: DiscordMessenger, statistics: Statistics
) -> None:
    message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
    await messenger.edit(CHANNEL, message_id, drawing(None), 42)
    assert (server.edit_count(), statistics.edits) == (0, 0)
    for number in range(5):
        await messenger.edit(CHANNEL, message_id, drawing(text(str(number))), 42)
    assert server.edit_count() == 5, "an edit that was not sent took no turn away"


async def test_finds_the_newest_message_of_its_own_with_the_marker(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    body = {"components": [{"type": 10, "content": "x", "id": 42}]}
    old, new = server.seed(CHANNEL, body, 60), server.seed(CHANNEL, body, 30)
    server.channels[CHANNEL].post(body, {"id": "1", "username": "someone"})
    server.seed(CHANNEL, {"components": [{"type": 10, "content": "x", "id": 43}]})
    server.seed(OTHER, body)
    assert await messenger.find(CHANNEL, 42) == new
    assert await messenger.find(CHANNEL, 42, after=old) == new
    assert await messenger.find(CHANNEL, 42, after=new) is None
    assert await messenger.find(CHANNEL, 44) is None


async def test_finds_a_message_that_much_was_written_after(server: DiscordServer, messenger: DiscordMessenger) -> None:
    wanted = server.seed(CHANNEL, {"components": [{"type": 10, "content": "x", "id": 42}]}, 1_000)
    for number in range(350):
        server.seed(CHANNEL, {"content": "chat"}, 900 - number)
    assert await messenger.find(CHANNEL, 42) == wanted


async def test_looks_and_pins(server: DiscordServer, messenger: DiscordMessenger) -> None:
    message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
    facts = await messenger.look(CHANNEL, message_id)
    assert facts is not None
    assert not facts.pinned
    await messenger.pin(CHANNEL, message_id)
    facts = await messenger.look(CHANNEL, message_id)
    assert facts is not None
    assert facts.pinned
    assert await messenger.look(CHANNEL, message_id + 1) is None


async def test_deleting_what_is_gone_is_no_error(server: DiscordServer, messenger: DiscordMessenger) -> None:
    await messenger.delete(CHANNEL, 1)
    await messenger.delete(CHANNEL + 99, 1)
    assert server.message_count() == 0


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        ((403, 50013, "Missing Permissions"), NotPermittedError, "lacks a permission"),
        ((403, 50001, "Missing Access"), NotPermittedError, "lacks a permission"),
        ((404, 10003, "Unknown Channel"), ChannelGoneError, "Choose another channel"),
        ((404, 10008, "Unknown Message"), MessageGoneError, "deleted"),
        ((400, 50083, "Thread is archived"), NotPermittedError, "Open it again"),
        ((400, 50035, "Invalid Form Body"), InvalidMessageError, "Invalid Form Body"),
        ((500, 0, "500: Internal Server Error"), UnavailableError, "not available"),
    ],
)
async def test_refusals_have_names_and_say_what_to_do(
    server: DiscordServer,
    messenger: DiscordMessenger,
    refusal: tuple[int, int, str],
    error: type[MessengerError],
    words: str,
) -> None:
    server.channels[CHANNEL].refuses = refusal
    with pytest.raises(error, match=words):
        await messenger.edit(CHANNEL, 1, drawing(text("two")), 42)


async def test_more_than_a_message_holds_is_an_invalid_message(messenger: DiscordMessenger) -> None:
    too_many = View(tuple(Text(str(number)) for number in range(41)))
    with pytest.raises(InvalidMessageError, match="40"):
        await messenger.post(CHANNEL, too_many, 42, "n1")
    with pytest.raises(InvalidMessageError, match="40"):
        await messenger.edit(CHANNEL, 1, drawing(too_many), 42)


async def test_an_answer_of_500_is_left_to_the_caller_instead_of_being_slept_over(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
    server.failures = [500]
    with pytest.raises(UnavailableError):
        await messenger.edit(CHANNEL, message_id, drawing(text("two")), 42)
    await messenger.edit(CHANNEL, message_id, drawing(text("three")), 42)
    await until(lambda: not exchange._IN_BACKGROUND, "discord.py to give up")
    assert [shown(server, message_id), server.edit_count()] == ["three", 1]


async def test_discord_that_cannot_be_reached_is_unavailable(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    await server.stop()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await messenger.post(CHANNEL, text("one"), 42, "n1")


async def test_a_hanging_discord_is_unavailable(
    server: DiscordServer, messenger: DiscordMessenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "REQUEST_SECONDS", 0.05)
    hanging = asyncio.Event()
    server.before_answer = lambda _request: hanging.wait()  # type: ignore[assignment,return-value]
    with pytest.raises(UnavailableError, match="did not answer"):
        await messenger.post(CHANNEL, text("one"), 42, "n1")
    hanging.set()


class TestPace:
    """Against the limits of a Discord whose windows are short."""

    @pytest.fixture
    async def server(self) -> AsyncIterator[DiscordServer]:
        async with DiscordServer(GUILD, [CHANNEL, OTHER], QUICK) as server:
            yield server

    async def test_a_channel_that_is_edited_all_the_time_is_never_refused(
        self, server: DiscordServer, messenger: DiscordMessenger
    ) -> None:
        ids = [await messenger.post(CHANNEL, text("one"), 42, f"n{number}") for number in range(4)]

        async def edit(message_id: int) -> None:
            for number in range(8):
                await messenger.edit(CHANNEL, message_id, drawing(text(str(number))), 42)

        await asyncio.gather(*(edit(message_id) for message_id in ids))
        assert server.edit_count() == 32
        assert server.refused == []

    async def test_messages_of_a_channel_take_turns(self, server: DiscordServer, messenger: DiscordMessenger) -> None:
        ids = [await messenger.post(CHANNEL, text("one"), 42, f"n{number}") for number in range(3)]

        async def edit(message_id: int) -> None:
            for number in range(6):
                await messenger.edit(CHANNEL, message_id, drawing(text(str(number))), 42)

        await asyncio.gather(*(edit(message_id) for message_id in ids))
        order = [message_id for _, _, message_id in server.edits]
        for rounds in range(1, 6):
            counts = [order[: 3 * rounds].count(message_id) for message_id in ids]
            assert max(counts) - min(counts) <= 1, order

    async def test_what_waits_is_sent_as_the_newest_view(
        self, server: DiscordServer, messenger: DiscordMessenger
    ) -> None:
        message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
        newest = text("old")
        edits = [asyncio.create_task(messenger.edit(CHANNEL, message_id, lambda: newest, 42)) for _ in range(9)]
        await until(lambda: server.edit_count() >= 5, "the first window")
        newest = text("new")
        await asyncio.gather(*edits)
        assert shown(server, message_id) == "new"

    async def test_old_messages_wait_by_themselves_and_teach_a_cadence(
        self, server: DiscordServer, messenger: DiscordMessenger, statistics: Statistics
    ) -> None:
        old = server.seed(CHANNEL, {"components": [{"type": 10, "content": "x", "id": 42}]}, 7_200)
        young = await messenger.post(CHANNEL, text("one"), 43, "n1")
        assert messenger.cadence(CHANNEL).old is None
        for number in range(6):
            await messenger.edit(CHANNEL, old, drawing(text(str(number))), 42)
        assert [code for _, _, code in server.refused] == [30046, 30046]
        assert statistics.rate_limited == 2
        cadence = messenger.cadence(CHANNEL)
        assert cadence.old is not None
        assert cadence.old >= QUICK.old_seconds / QUICK.old_edits
        assert messenger.cadence(OTHER).old is None
        waiting = [asyncio.create_task(messenger.edit(CHANNEL, old, drawing(text("z")), 42)) for _ in range(3)]
        await messenger.edit(CHANNEL, young, drawing(text("two")), 43)
        assert not all(task.done() for task in waiting), "a young message does not wait for the old ones"
        await asyncio.gather(*waiting)
        assert len(server.refused) == 2, "once the limit is known it is not hit again"

    async def test_a_refused_edit_is_not_repeated_by_discord_py_below(
        self, server: DiscordServer, messenger: DiscordMessenger, caplog: pytest.LogCaptureFixture
    ) -> None:
        old = server.seed(CHANNEL, {"components": [{"type": 10, "content": "x", "id": 42}]}, 7_200)
        drawn = 0

        def draw() -> View:
            nonlocal drawn
            drawn += 1
            return text(str(drawn))

        with caplog.at_level(logging.CRITICAL, logger="discord.http"):
            for _ in range(3):
                await messenger.edit(CHANNEL, old, draw, 42)
        await until(lambda: not exchange._IN_BACKGROUND, "discord.py to give up")
        assert drawn == 4, "the third edit was refused once and drawn again"
        assert server.edit_count() == 3
        assert shown(server, old) == "4"

    async def test_the_limit_of_the_whole_bot_holds_over_all_channels(self) -> None:
        channels = [CHANNEL + number for number in range(30)]
        limits = Limits(global_requests=50, global_seconds=1.0)
        async with DiscordServer(GUILD, channels, limits) as server, logged_in(server) as messenger:
            await asyncio.gather(*(messenger.post(channel, text("one"), 42, "n1") for channel in channels * 3))
            assert server.refused == []

    async def test_the_whole_bot_pauses_when_discord_says_so(self, statistics: Statistics) -> None:
        limits = Limits(global_requests=3, global_seconds=0.4)
        async with DiscordServer(GUILD, [CHANNEL], limits) as server, logged_in(server, statistics) as messenger:
            posts = [messenger.post(CHANNEL, text("one"), 42, f"n{number}") for number in range(5)]
            assert len(set(await asyncio.gather(*posts))) == 5
            assert server.message_count() == 5
            assert statistics.rate_limited == len(server.refused) > 0

    async def test_a_request_that_is_given_up_while_it_waits_leaves_its_place(
        self, server: DiscordServer, messenger: DiscordMessenger
    ) -> None:
        message_id = await messenger.post(CHANNEL, text("one"), 42, "n1")
        edits = [
            asyncio.create_task(messenger.edit(CHANNEL, message_id, drawing(text(str(number))), 42))
            for number in range(12)
        ]
        await asyncio.sleep(0)
        for task in edits[4:]:
            task.cancel()
        await asyncio.gather(*edits, return_exceptions=True)
        await messenger.edit(CHANNEL, message_id, drawing(text("last")), 42)
        assert messenger.cadence(CHANNEL).waiting == 0
        assert shown(server, message_id) == "last"


class Client(discord.Client):
    """A bot under SimCord: no HTTP underneath, so no header is seen."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.messenger = DiscordMessenger(self)


async def test_works_on_a_simulated_discord_without_headers() -> None:
    client = Client()
    async with simcord.run(client) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("lab")
        await env.settle()
        message_id = await client.messenger.post(channel.id, text("one"), 42, "n1")
        await client.messenger.edit(channel.id, message_id, drawing(text("two")), 42)
        assert await client.messenger.find(channel.id, 42) == message_id
        facts = await client.messenger.look(channel.id, message_id)
        assert facts is not None
        await client.messenger.delete(channel.id, message_id)
        assert await client.messenger.look(channel.id, message_id) is None
        with pytest.raises(MessageGoneError):
            await client.messenger.edit(channel.id, message_id, drawing(text("three")), 42)
        with pytest.raises(ChannelGoneError):
            await client.messenger.post(1, text("one"), 42, "n1")


@pytest.mark.parametrize(
    ("deny", "act"),
    [
        ("send_messages", lambda messenger, channel: messenger.post(channel, text("one"), 42, "n1")),
        ("read_message_history", lambda messenger, channel: messenger.find(channel, 42)),
    ],
)
async def test_a_missing_permission_is_named(
    deny: str, act: Callable[[DiscordMessenger, int], asyncio.Future[object]]
) -> None:
    client = Client()
    async with simcord.run(client) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel(
            "lab", overwrites={guild.default_role: discord.PermissionOverwrite(**{deny: False})}
        )
        await env.settle()
        name = deny.replace("_", " ").title()
        with pytest.raises(NotPermittedError, match=name):
            await act(client.messenger, channel.id)
