from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from app.bot.compose import build_client
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.command_options import MAX_COMMANDS
from app.bot.interface.client import HomelabClient
from app.bot.interface.command_builder import CommandBuilder, digest_of
from app.bot.interface.commands import CommandContext, command_types
from app.bot.interface.commands.base import MAX_CHOICES, choices
from app.shared.secrets import SecretBox
from tests.support.database import Database


@pytest.fixture
async def client(database: Database, bot_pool: asyncpg.Pool) -> AsyncIterator[HomelabClient]:
    client = build_client(bot_pool, database.bot_url, SecretBox(Fernet.generate_key().decode()))
    yield client
    await client.close()


def builder() -> CommandBuilder:
    """Building needs nothing of the context; running a command does, which the end-to-end tests do."""
    return CommandBuilder(command_types, CommandContext.__new__(CommandContext))


def row(number: int, name: str, type_: str = "status", **values: object) -> CommandDefinition:
    return CommandDefinition(number, name, type_, **{"description": "Says something", **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (row(1, "Big Words"), "cannot be a name in Discord"),
        (row(1, "x" * 33), "cannot be a name in Discord"),
        (row(1, "long", description="x" * 101), "needs 1 to 100 characters"),
        (row(1, "silent", description=""), "needs 1 to 100 characters"),
        (row(1, "odd", "teleport"), "Unknown command type “teleport”"),
        (row(1, "empty", "show_dashboard"), "dashboard: Field required"),
    ],
)
def test_a_broken_row_is_logged_once_and_left_out(broken: CommandDefinition, reason: str) -> None:
    commands = builder()
    with capture_logs() as lines:
        for _ in range(3):
            assert [command.name for command in commands.build([broken, row(2, "status")])] == ["status"]
    assert len(lines) == 1
    assert reason in lines[0]["reason"]


def test_a_row_that_is_switched_off_is_left_out_without_a_word() -> None:
    with capture_logs() as lines:
        assert builder().build([row(1, "Not Allowed", enabled=False)]) == []
    assert lines == []


def test_discord_gets_no_more_commands_than_it_takes() -> None:
    with capture_logs() as lines:
        built = builder().build([row(number, f"c{number:03}") for number in range(MAX_COMMANDS + 1)])
    assert len(built) == MAX_COMMANDS
    assert "one too many" in lines[0]["reason"]


async def test_the_digest_follows_what_discord_would_see_and_nothing_else(client: HomelabClient) -> None:
    def digest(*rows: CommandDefinition) -> str:
        client.tree.clear_commands(guild=None)
        for command in builder().build(rows):
            client.tree.add_command(command)
        return digest_of(client.tree)

    first = digest(row(1, "status"), row(2, "dashboard", "dashboard"))
    assert digest(row(8, "dashboard", "dashboard"), row(9, "status")) == first
    assert digest(row(1, "status", description="Other words"), row(2, "dashboard", "dashboard")) != first
    assert digest(row(1, "status")) != first


def test_choices_match_label_and_value_and_stay_within_discords_limits() -> None:
    entries = [(f"Source {number:02}", f"nas{number}") for number in range(60)]
    assert len(choices(entries, "")) == MAX_CHOICES
    assert [choice.value for choice in choices(entries, "NAS59")] == ["nas59"]
    assert [choice.value for choice in choices([("my lab", "b"), ("Lab", "a")], "lab")] == ["a", "b"]
    assert choices([("too long", "v" * 101)], "") == []
    assert len(choices([("l" * 300, "v")], "")[0].name) == 100
