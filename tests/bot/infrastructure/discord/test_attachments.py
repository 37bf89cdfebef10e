"""Pictures of messages, on the local Discord: sent once, kept while shown, gone when not."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial

import pytest

from app.bot.application.publishing.messenger import InvalidMessageError, UnavailableError
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import Button, Container, Gallery, Image, Section, Text, View
from app.bot.domain.blocks.pictures import pictures_of
from app.bot.domain.charts.chart import Picture
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.local_discord import CHANNEL, GUILD, logged_in


def picture(content: str) -> Picture:
    return Picture(hashlib.blake2b(content.encode(), digest_size=16).hexdigest(), content.encode())


def showing(*contents: str) -> View:
    images = tuple(Image.of(picture(content), content) for content in contents)
    return View((Container((Text("Charts"), *((Gallery(images),) if images else ()))),))


def names(*contents: str) -> list[str]:
    return [picture(content).filename for content in contents]


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL]) as server:
        yield server


@pytest.fixture
async def messenger(server: DiscordServer) -> AsyncIterator[DiscordMessenger]:
    async with logged_in(server) as messenger:
        yield messenger


def shown(server: DiscordServer, message_id: int) -> list[str]:
    return [file["filename"] for file in server.channels[CHANNEL].messages[message_id]["attachments"]]


def uploaded(server: DiscordServer) -> list[str]:
    found = [data.decode() for _, data in server.uploads]
    server.uploads.clear()
    return found


def test_pictures_of_a_view_are_found_wherever_they_are_each_once() -> None:
    one, two = Image.of(picture("one")), Image.of(picture("two"))
    web = Image("https://example.org/x.png")
    view = View(
        (
            Container((Section((Text("x"),), one), Gallery((web, two, one)))),
            Gallery((two,)),
            Section((Text("x"),), Button("Go", "hl:1:refresh:")),
        )
    )
    assert pictures_of(view) == (picture("one"), picture("two"))


async def test_unchanged_pictures_are_never_sent_again_and_old_ones_go(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    message_id = await messenger.post(CHANNEL, showing("cpu", "ram"), 42, "n1")
    assert uploaded(server) == ["cpu", "ram"]
    for contents, sent in [
        (("cpu", "ram 2"), ["ram 2"]),
        (("ram 2", "cpu"), []),
        (("cpu",), []),
        (("disk", "cpu", "ram 3"), ["disk", "ram 3"]),
        ((), []),
        ((), []),
        (("cpu",), ["cpu"]),
    ]:
        await messenger.edit(CHANNEL, message_id, partial(showing, *contents), 42)
        assert sorted(shown(server, message_id)) == sorted(names(*contents))
        assert uploaded(server) == sent


async def test_a_message_without_files_says_nothing_of_files(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    message_id = await messenger.post(CHANNEL, showing(), 42, "n1")
    await messenger.edit(CHANNEL, message_id, showing, 42)
    assert not any("attachments" in body for _, _, body in server.bodies)


async def test_after_a_restart_files_are_sent_once_or_learned_by_a_look(server: DiscordServer) -> None:
    async with logged_in(server) as messenger:
        message_id = await messenger.post(CHANNEL, showing("cpu"), 42, "n1")
    for look in (False, True):
        server.uploads.clear()
        async with logged_in(server) as messenger:
            if look:
                await messenger.look(CHANNEL, message_id)
            for _ in range(2):
                await messenger.edit(CHANNEL, message_id, lambda: showing("cpu"), 42)
        assert uploaded(server) == ([] if look else ["cpu"])
        assert shown(server, message_id) == names("cpu")
    async with logged_in(server) as messenger:
        await messenger.edit(CHANNEL, message_id, showing, 42)
        assert shown(server, message_id) == []


async def test_a_file_that_was_removed_meanwhile_is_sent_anew(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    message_id = await messenger.post(CHANNEL, showing("cpu"), 42, "n1")
    server.channels[CHANNEL].messages[message_id]["attachments"] = []
    await messenger.edit(CHANNEL, message_id, lambda: showing("cpu"), 42)
    assert shown(server, message_id) == names("cpu")
    server.refuse_text = "Charts"
    with pytest.raises(InvalidMessageError):
        await messenger.edit(CHANNEL, message_id, lambda: showing("cpu"), 42)


async def test_an_edit_of_which_nothing_is_known_is_made_whole_by_the_next(
    server: DiscordServer, messenger: DiscordMessenger
) -> None:
    message_id = await messenger.post(CHANNEL, showing("cpu"), 42, "n1")
    server.failures = [-500]
    with pytest.raises(UnavailableError):
        await messenger.edit(CHANNEL, message_id, lambda: showing("ram"), 42)
    await messenger.edit(CHANNEL, message_id, lambda: showing("cpu"), 42)
    assert shown(server, message_id) == names("cpu")


async def test_a_file_is_whole_also_when_a_limit_refused_it_first() -> None:
    limits = Limits(route_requests=1, route_seconds=0.2, global_requests=2, global_seconds=0.3)
    statistics = Statistics()
    async with DiscordServer(GUILD, [CHANNEL], limits) as server, logged_in(server, statistics) as messenger:
        message_id = await messenger.post(CHANNEL, showing("x" * 100_000), 42, "n1")
        for number in range(4):
            await messenger.edit(CHANNEL, message_id, partial(showing, f"{number}" * 100_000), 42)
        assert statistics.rate_limited == len(server.refused) > 0
        assert {len(data) for _, data in server.uploads} == {100_000}
        assert shown(server, message_id) == names("3" * 100_000)
