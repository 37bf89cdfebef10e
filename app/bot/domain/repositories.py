"""What the application needs of storage, as structural protocols; PostgreSQL fulfils them in infrastructure.

Reading a definition raises MissingTableError or MissingColumnError when the schema lacks what the feature needs; the
caller switches off that one feature. Every other storage failure raises StorageUnavailableError, after which a retry
is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.actions.audit_trail import AuditFilter, AuditLine
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.runs import ActionRun, RunOutcome, RunRequest
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import DashboardMessage, Placement
from app.bot.domain.guilds import AuditEntry, BotInstance, Channel, Guild
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.permissions import PermissionGrant
from app.bot.domain.readings.source import DataSource, SourceState
from app.bot.domain.readings.source_tests import SourceTest
from app.bot.domain.services import ServiceDefinition


class DashboardRepository(Protocol):
    """Dashboards with their components, ordered by position."""

    async def all(self) -> tuple[Dashboard, ...]:
        """Every dashboard, enabled or not, loaded in two statements."""
        ...

    async def get(self, dashboard_id: int) -> Dashboard | None:
        """One dashboard with its components, or None when it is gone."""
        ...


class DataSourceRepository(Protocol):
    """Data sources, and what their polls gave."""

    async def all(self) -> tuple[DataSource, ...]: ...  # noqa: D102
    async def save_states(self, states: Sequence[SourceState]) -> None:
        """Write the newest states in one statement; states of sources that are gone are dropped silently."""
        ...


class ServiceRepository(Protocol):
    """Services, and how they are doing."""

    async def all(self) -> tuple[ServiceDefinition, ...]: ...  # noqa: D102
    async def save_status(self, service_id: int, status: str, error: str | None) -> None: ...  # noqa: D102


class CommandRepository(Protocol):
    """Slash commands."""

    async def all(self) -> tuple[CommandDefinition, ...]: ...  # noqa: D102


class ActionRepository(Protocol):
    """Actions."""

    async def all(self) -> tuple[ActionDefinition, ...]: ...  # noqa: D102


class PermissionRepository(Protocol):
    """Permission grants."""

    async def all(self) -> tuple[PermissionGrant, ...]: ...  # noqa: D102


class SettingsRepository(Protocol):
    """Settings by key."""

    async def all(self) -> Mapping[str, Any]: ...  # noqa: D102


class ComponentTypeRepository(Protocol):
    """Component types that are composed of others: templates that are switched on."""

    async def all(self) -> tuple[ComponentTemplate, ...]: ...  # noqa: D102


class IntegrationRepository(Protocol):
    """Integrations that are switched on."""

    async def all(self) -> tuple[Integration, ...]: ...  # noqa: D102


class SourceTestRepository(Protocol):
    """Tests of data sources that the web admin asks for."""

    async def take(self, test_id: int) -> SourceTest | None:
        """Take the test; None for all but the first who asks."""
        ...

    async def answer(self, test_id: int, result: Mapping[str, Any]) -> None: ...  # noqa: D102


class GuildRepository(Protocol):
    """Guilds, and the channels seen in them."""

    async def all(self) -> tuple[Guild, ...]: ...  # noqa: D102
    async def seen(self, guild_id: int, name: str, channels: Sequence[Channel]) -> None:
        """Remember that the bot is in a guild, and replace the list of its text channels."""
        ...


class PlacementRepository(Protocol):
    """The memory of messages."""

    async def all(self) -> tuple[Placement, ...]:
        """Return every placement with its messages."""
        ...

    async def place(self, dashboard_id: int, channel_id: int, origin: str) -> Placement:
        """Insert a placement, or return the one there is with its messages; a removed one is wanted again."""
        ...

    async def add_message(self, placement_id: int, position: int) -> DashboardMessage:
        """Insert a message (state posting), or return the one at this position."""
        ...

    async def save(self, placement: Placement) -> None:
        """Store every mutable field of a placement but its messages; nothing happens when its row is gone."""
        ...

    async def save_message(self, message: DashboardMessage) -> None:
        """Store every mutable field of a message; nothing happens when its row is gone."""
        ...

    async def delete(self, placement_id: int) -> None:
        """Forget a placement and its messages."""
        ...

    async def delete_message(self, message_row_id: int) -> None:
        """Forget a message."""
        ...


class AuditRepository(Protocol):
    """The audit log."""

    async def record(self, entry: AuditEntry) -> None: ...  # noqa: D102


class AuditTrailRepository(Protocol):
    """What was done, to be read."""

    async def find(self, wanted: AuditFilter, limit: int) -> Sequence[AuditLine]:
        """Return the lines that a filter wants, the newest first, from its page on."""
        ...


class BotInstanceRepository(Protocol):
    """Running bot processes."""

    async def heartbeat(self, instance: BotInstance) -> None:
        """Insert or refresh the row of this process."""
        ...

    async def command_hash(self, application_id: int) -> str | None:
        """Return the digest of the commands that were last synced for this application, by any instance."""
        ...


class ActionRunRepository(Protocol):
    """Runs of actions. A run is enqueued in the transaction that inserts it, or not at all."""

    async def ask(self, request: RunRequest) -> tuple[int, str]:
        """Insert a run: enqueued, waiting for its user, or refused. Its id, and why its limits refused it."""
        ...

    async def get(self, run_id: int) -> ActionRun | None: ...  # noqa: D102
    async def confirm(self, run_id: int, request: RunRequest) -> str:
        """Enqueue a run that waited for its user; why it was refused, or nothing."""
        ...

    async def decline(self, run_id: int, reason: str) -> None:
        """Refuse a run that waits for its user; nothing happens to any other."""
        ...

    async def claim(self, run_id: int) -> tuple[ActionRun, bool] | None:
        """Begin a run: with whether it is new, or was begun by a worker that died. None where it is over, or gone."""
        ...

    async def requeue(self, run_id: int) -> None:
        """Have a run that was begun run once more."""
        ...

    async def say(self, run_id: int, progress: str) -> None:
        """Store how far a run is."""
        ...

    async def finish(self, run_id: int, outcome: RunOutcome) -> None:
        """Store how a run ended."""
        ...

    async def answered(self, run_id: int) -> None:
        """Forget where the answer went: the user has seen how the run ended."""
        ...

    async def unanswered(self) -> tuple[ActionRun, ...]:
        """Return the runs that ended a moment ago, and whose users may not know."""
        ...

    async def clean_up(self, keep_days: int) -> None:
        """Refuse what no one confirmed, forget addresses that are of no use any more, delete what is old."""
        ...
