"""The definitions that are one table each: services, commands, actions, grants, component types and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.permissions import PermissionGrant
from app.bot.domain.records import from_record
from app.bot.domain.repositories import ServiceRepository, SettingsRepository
from app.bot.domain.services import ServiceDefinition
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, storable

Model = TypeVar("Model")


class TableRepository(Generic[Model]):
    """All rows of one table, or `which` of them, as one model, in order."""

    def __init__(self, pool: Pool, table: str, model: type[Model], *, which: str = "true", order: str = "id") -> None:
        self._pool = pool
        self._query = f"SELECT * FROM {table} WHERE {which} ORDER BY {order}"  # noqa: S608  # said by this module alone
        self._model = model

    async def all(self) -> tuple[Model, ...]:
        """Every row."""
        return tuple(from_record(self._model, record) for record in await fetch(self._pool, self._query))


class PostgresServices(TableRepository[ServiceDefinition], ServiceRepository):
    """Services and their statuses in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, "services", ServiceDefinition)

    async def save_status(self, service_id: int, status: str, error: str | None) -> None:
        """Write how a service is doing; `changed_at` moves only with the status."""
        await execute(
            self._pool,
            """
            INSERT INTO service_states AS old (service_id, status, error, changed_at)
            SELECT id, $2, $3, now() FROM services WHERE id = $1
            ON CONFLICT (service_id) DO UPDATE SET status = excluded.status, error = excluded.error,
              changed_at = CASE WHEN old.status = excluded.status THEN old.changed_at ELSE now() END
            """,
            service_id,
            status,
            storable(error),
        )


def _table(
    table: str, model: type[Model], *, which: str = "true", order: str = "id"
) -> Callable[[Pool], TableRepository[Model]]:
    """Return what makes the repository of a table that is only read."""
    return partial(TableRepository, table=table, model=model, which=which, order=order)


postgres_commands = _table("commands", CommandDefinition)
postgres_actions = _table("actions", ActionDefinition)
postgres_grants = _table("permission_grants", PermissionGrant)
postgres_component_types = _table(
    "component_types", ComponentTemplate, which="kind = 'template' AND enabled", order="name"
)
postgres_source_types = _table("data_source_types", Integration, which="kind = 'integration' AND enabled", order="name")


class PostgresSettings(SettingsRepository):
    """Settings in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> Mapping[str, Any]:
        """Values by key."""
        records = await fetch(self._pool, "SELECT key, value FROM settings")
        return {record["key"]: record["value"] for record in records}
