"""Types of services, commands and actions: all come with the program, and are read only."""

from __future__ import annotations

from app.definitions.kinds.base import RecordKind, register
from app.shared.database.models import ActionTypeRow, CommandTypeRow, ServiceTypeRow


class ServiceTypes(RecordKind):
    """What a service can be."""

    name = "service-types"
    singular = "service type"
    row = ServiceTypeRow
    key = "name"


class CommandTypes(RecordKind):
    """What a command can be."""

    name = "command-types"
    singular = "command type"
    row = CommandTypeRow
    key = "name"


class ActionTypes(RecordKind):
    """What an action can be."""

    name = "action-types"
    singular = "action type"
    row = ActionTypeRow
    key = "name"


SERVICE_TYPES = register(ServiceTypes)
COMMAND_TYPES = register(CommandTypes)
ACTION_TYPES = register(ActionTypes)
