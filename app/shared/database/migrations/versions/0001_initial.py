"""All tables, functions, triggers and rights of the first release.

Revision 0001, the first. Its statements stand in the .sql files of the folder 0001_initial, by subject.
"""

from __future__ import annotations

import re
from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).with_suffix("")
_FILES = (
    "definitions",
    "memory",
    "history",
    "action_runs",
    "pgqueuer",
    "announcements",
    "revisions",
    "watching",
    "rights",
)
_STATEMENT = re.compile(r"(?:\$\$.*?\$\$|--[^\n]*|[^;])+", re.DOTALL)
"""Up to a semicolon that stands in no function's body and no comment: the driver takes one statement at a time."""


def upgrade() -> None:
    for name in _FILES:
        _run(name)


def downgrade() -> None:
    _run("downgrade")


def _run(name: str) -> None:
    for statement in _STATEMENT.findall((_FOLDER / f"{name}.sql").read_text(encoding="utf-8")):
        if statement.strip():
            op.execute(statement)
