"""Rows with sensible defaults: a test names only what matters to it.

Each function takes a connection with JSON codecs (fixture `owner`) and columns to override, and returns the new row.
A parent that is not named is made too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from app.shared.secrets import SecretBox

_numbers = itertools.count(1)


def number() -> int:
    """A number that no other row has."""
    return next(_numbers)


def snowflake() -> int:
    """An id as Discord hands them out."""
    return 1_300_000_000_000_000_000 + number()


async def insert(connection: asyncpg.Connection, table: str, columns: Mapping[str, Any]) -> asyncpg.Record:
    """Insert one row with these columns and return it whole."""
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    values = f"({names}) VALUES ({places})" if columns else "DEFAULT VALUES"
    row = await connection.fetchrow(f"INSERT INTO {table} {values} RETURNING *", *columns.values())
    assert row is not None
    return row


async def guild(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "guilds", {"id": snowflake(), "name": "Test guild", **columns})


async def channel(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "guild_id" not in columns:
        columns["guild_id"] = (await guild(connection))["id"]
    return await insert(connection, "discord_channels", {"id": snowflake(), "name": "lab", "type": "text", **columns})


async def dashboard(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "guild_id" not in columns:
        columns["guild_id"] = (await guild(connection))["id"]
    return await insert(connection, "dashboards", {"name": f"dashboard {number()}", **columns})


async def component(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "dashboard_id" not in columns:
        columns["dashboard_id"] = (await dashboard(connection))["id"]
    defaults = {"type": "heading", "config": {"text": "Hello"}} if "type" not in columns else {}
    return await insert(connection, "dashboard_components", {**defaults, **columns})


async def component_type(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "component_types", {"name": f"component_type_{number()}", **columns})


async def data_source_type(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "data_source_types", {"name": f"data_source_type_{number()}", **columns})


async def data_source(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "data_sources", {"name": f"source_{number()}", "type": "static", **columns})


async def service_type(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "service_types", {"name": f"service_type_{number()}", **columns})


async def service(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "services", {"name": f"service_{number()}", "type": "collector", **columns})


async def action_type(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "action_types", {"name": f"action_type_{number()}", **columns})


async def action(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "actions", {"name": f"action_{number()}", "type": "refresh", **columns})


async def command_type(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "command_types", {"name": f"command_type_{number()}", **columns})


async def command(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    defaults = {"name": f"command{number()}", "type": "status", "description": "Shows how the lab is doing"}
    return await insert(connection, "commands", {**defaults, **columns})


async def grant(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(
        connection, "permission_grants", {"subject_type": "everyone", "permission": "action.run", **columns}
    )


async def setting(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(connection, "settings", {"key": f"setting.{number()}", "value": {}, **columns})


async def secret(connection: asyncpg.Connection, box: SecretBox, text: str, **columns: Any) -> asyncpg.Record:
    """A secret, sealed with `box`."""
    return await insert(connection, "secrets", {"name": f"secret_{number()}", "ciphertext": box.seal(text), **columns})


async def user(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    """A person who cannot log in: the password's hash is none, unless it is given."""
    return await insert(connection, "users", {"username": f"user{number()}", "password_hash": "!", **columns})


async def api_token(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "user_id" not in columns:
        columns["user_id"] = (await user(connection))["id"]
    return await insert(connection, "api_tokens", {"name": "script", "token_hash": uuid4().hex * 2, **columns})


async def placement(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    """A row of dashboard_placements."""
    if "dashboard_id" not in columns:
        columns["dashboard_id"] = (await dashboard(connection))["id"]
    return await insert(connection, "dashboard_placements", {"channel_id": snowflake(), **columns})


async def message(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    """A row of dashboard_messages; with a `message_id` it is posted, without one still posting.

    Columns of a placement are those of a new one, which the message belongs to.
    """
    names = ("dashboard_id", "channel_id", "origin", "removed", "page", "variables", "problems")
    of_placement = {name: columns.pop(name) for name in names if name in columns}
    if "placement_id" not in columns:
        columns["placement_id"] = (await placement(connection, **of_placement))["id"]
    state = {"state": "posted", "posted_at": datetime.now(UTC)} if columns.get("message_id") else {}
    return await insert(connection, "dashboard_messages", {**state, **columns})


async def source_state(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "data_source_id" not in columns:
        columns["data_source_id"] = (await data_source(connection))["id"]
    return await insert(connection, "source_states", {"status": "up", "polled_at": datetime.now(UTC), **columns})


async def service_state(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    if "service_id" not in columns:
        columns["service_id"] = (await service(connection))["id"]
    return await insert(connection, "service_states", {"status": "running", **columns})


async def bot_instance(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    defaults = {"id": uuid4(), "hostname": "lab", "pid": 4242, "version": "0.0.0"}
    return await insert(connection, "bot_instances", {**defaults, **columns})


async def audit_entry(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(
        connection, "audit_log", {"actor_type": "discord", "action": "test", "outcome": "done", **columns}
    )


async def action_run(connection: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    return await insert(
        connection, "action_runs", {"action": "wake", "origin": "button", "state": "done", "user_id": "7", **columns}
    )
