"""What the program writes down: runs of actions, and the audit log. Both are read only."""

from __future__ import annotations

from app.definitions.kinds.base import RecordKind, register
from app.definitions.roles import Role
from app.shared.database.models import ActionRunRow, AuditEntryRow


class ActionRuns(RecordKind):
    """Runs of actions, with their results."""

    name = "action-runs"
    singular = "action run"
    row = ActionRunRow
    reader = Role.EDITOR
    hidden = frozenset({"sealed", "actor", "concurrency_key"})


class AuditLog(RecordKind):
    """Who changed what."""

    name = "audit-log"
    singular = "audit entry"
    row = AuditEntryRow
    reader = Role.EDITOR


ACTION_RUNS = register(ActionRuns)
AUDIT_LOG = register(AuditLog)
