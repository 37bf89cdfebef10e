"""CommandBuilder: rows of commands become slash commands, and Discord hears of them when they changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from app.bot.application.runtime.definitions import DefinitionCache, Table
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.command_options import MAX_COMMANDS, description_problem, length_problem, name_problem
from app.bot.domain.components.component import parse_config
from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.faults import describe_fault
from app.bot.domain.registry import Registry
from app.bot.domain.repositories import BotInstanceRepository
from app.bot.interface.command_tree import CommandTree
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType
from app.bot.interface.commands.defined import DefinedCommand
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.wakeable_sleep import WakeableSleep

log = structlog.get_logger(__name__)

_SETTLE_SECONDS = 0.2
"""Rows that change together become one sync: Discord counts them (200 new commands a day and guild)."""
_IDLE_SECONDS, _FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 3_600.0, 5.0, 600.0


class CommandBuilder:
    """Builds slash commands from rows: by type through the registry. A broken row is logged once and left out."""

    def __init__(self, types: Registry[type[CommandType]], context: CommandContext) -> None:
        self._types = types
        self._context = context
        self._said: dict[int, str] = {}

    def build(self, definitions: Iterable[CommandDefinition]) -> list[AppCommand]:
        """Return the commands of all enabled rows that are right, by name; at most what Discord takes."""
        built: list[AppCommand] = []
        problems: dict[int, str] = {}
        for definition in sorted(definitions, key=lambda definition: definition.name):
            if not definition.enabled:
                continue
            try:
                built.append(self._build(definition, len(built)))
            except HomelabError as error:
                problems[definition.id] = str(error)
            except Exception as error:  # noqa: BLE001  # the guarded edge: no row can take the other commands along
                problems[definition.id] = describe_fault(error)
            if definition.id in problems and self._said.get(definition.id) != problems[definition.id]:
                log.warning("slash command left out", command=definition.name, reason=problems[definition.id])
        self._said = problems
        return built

    def _build(self, definition: CommandDefinition, before: int) -> AppCommand:
        if before >= MAX_COMMANDS:
            raise InvalidConfigError(f"Discord takes {MAX_COMMANDS} commands, and this is one too many")
        model = self._types[definition.type]
        config = parse_config(model, definition.config, f"Config of the command “{definition.name}”")
        _check(definition, config)
        command = config.build(definition, self._context)
        command.guild_only = True
        command.allowed_contexts = app_commands.AppCommandContext(guild=True)
        command.allowed_installs = app_commands.AppInstallationType(guild=True)
        return command


def _check(definition: CommandDefinition, config: CommandType) -> None:
    """Raise InvalidConfigError for a command that Discord would refuse."""
    options = config.options if isinstance(config, DefinedCommand) else []
    problems = {
        "name": name_problem(definition.name),
        "description": description_problem(definition.description),
        "config": length_problem(definition.name, definition.description, options),
    }
    for field, problem in problems.items():
        if problem is not None:
            raise InvalidConfigError(f"Command “{definition.name}”: {field}: {problem}")


class CommandSync:
    """Keeps the commands at Discord equal to the rows; asks Discord only when their digest changed."""

    def __init__(
        self,
        tree: CommandTree,
        definitions: DefinitionCache,
        builder: CommandBuilder,
        instances: BotInstanceRepository,
        remember: Callable[[], Awaitable[None]],
    ) -> None:
        self._tree = tree
        self._definitions = definitions
        self._builder = builder
        self._instances = instances
        self._remember = remember
        self._sleep = WakeableSleep()
        self._loaded = False
        definitions.subscribe(Table.COMMANDS, self._changed)
        definitions.subscribe(Table.ACTIONS, self._changed)  # their parameters are options of commands

    async def run(self, application_id: Callable[[], int]) -> None:
        """Sync until cancelled. What fails is tried again, with one log line."""
        backoff = Backoff(_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS)
        outage = Outage(log, "slash commands could not be synced; trying again", "slash commands are synced again")
        while True:
            try:
                if self._loaded:
                    await self._definitions.loaded.wait()  # what a command needs may be loaded after it
                    await self._sync(application_id())
            except (discord.HTTPException, aiohttp.ClientError, OSError, HomelabError) as error:
                outage.fail(_reason(error))
                await asyncio.sleep(backoff.next())
                continue
            outage.recover()
            backoff.reset()
            await self._sleep.sleep(_IDLE_SECONDS)
            await asyncio.sleep(_SETTLE_SECONDS)

    def _changed(self, _changed: int | None) -> None:
        self._loaded = True
        self._sleep.wake()

    async def _sync(self, application_id: int) -> None:
        self._tree.clear_commands(guild=None)
        for command in self._builder.build(self._definitions.commands.values()):
            self._tree.add_command(command)
        digest = digest_of(self._tree)
        if self._tree.digest is None:
            self._tree.digest = await self._instances.command_hash(application_id)
        if digest == self._tree.digest:
            await self._remember()
            return
        commands = await self._tree.sync()
        self._tree.digest = digest
        log.info("slash commands synced", commands=[command.name for command in commands])
        await self._remember()


def digest_of(tree: app_commands.CommandTree[Any]) -> str:
    """Return a digest of all that Discord would be told of the commands."""
    payload = sorted((command.to_dict(tree) for command in tree.get_commands()), key=lambda command: command["name"])
    return hashlib.blake2b(json.dumps(payload, sort_keys=True).encode(), digest_size=16).hexdigest()


def _reason(error: BaseException) -> str:
    return str(error)[:500] if isinstance(error, (discord.HTTPException, HomelabError)) else type(error).__name__
