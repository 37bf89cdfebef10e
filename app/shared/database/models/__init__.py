"""Every table, one aggregate per file. A row class is named after what one row is."""

from app.shared.database.models.action_runs import ActionRunRow
from app.shared.database.models.actions import ActionRow, ActionTypeRow
from app.shared.database.models.audit_log import AuditEntryRow
from app.shared.database.models.base import Base
from app.shared.database.models.bot_instances import BotInstanceRow
from app.shared.database.models.commands import CommandRow, CommandTypeRow
from app.shared.database.models.dashboards import ComponentTypeRow, DashboardComponentRow, DashboardRow
from app.shared.database.models.data_sources import DataSourceRow, DataSourceTypeRow, SourceStateRow
from app.shared.database.models.guilds import ChannelRow, GuildRow
from app.shared.database.models.history import FiveMinutesRow, HourRow, RollupMarkRow, SampleRow, SeriesRow
from app.shared.database.models.permissions import PermissionGrantRow
from app.shared.database.models.placements import DashboardMessageRow, DashboardPlacementRow
from app.shared.database.models.pushes import PushRow
from app.shared.database.models.revisions import DefinitionRevisionRow, RevisionRow
from app.shared.database.models.secrets import SecretRow
from app.shared.database.models.services import ServiceRow, ServiceStateRow, ServiceTypeRow
from app.shared.database.models.settings import SettingRow
from app.shared.database.models.source_tests import SourceTestRow
from app.shared.database.models.users import ApiTokenRow, UserRow

__all__ = [
    "ActionRow",
    "ActionRunRow",
    "ActionTypeRow",
    "ApiTokenRow",
    "AuditEntryRow",
    "Base",
    "BotInstanceRow",
    "ChannelRow",
    "CommandRow",
    "CommandTypeRow",
    "ComponentTypeRow",
    "DashboardComponentRow",
    "DashboardMessageRow",
    "DashboardPlacementRow",
    "DashboardRow",
    "DataSourceRow",
    "DataSourceTypeRow",
    "DefinitionRevisionRow",
    "FiveMinutesRow",
    "GuildRow",
    "HourRow",
    "PermissionGrantRow",
    "PushRow",
    "RevisionRow",
    "RollupMarkRow",
    "SampleRow",
    "SecretRow",
    "SeriesRow",
    "ServiceRow",
    "ServiceStateRow",
    "ServiceTypeRow",
    "SettingRow",
    "SourceStateRow",
    "SourceTestRow",
    "UserRow",
]
