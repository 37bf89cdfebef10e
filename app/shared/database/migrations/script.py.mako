"""${message}

Revision ${up_revision}, after ${down_revision | comma,n}. Written ${create_date.date()}.

Statements here lock tables that a running bot reads: keep each short, and add columns with constant defaults.
The bot gets SELECT on a new table by default: grant what else it needs, revoke it where the bot must not read.
A new definition table is announced after `SELECT homelab_watch('table', 'key', 'parent')`.
Before altering a table whose rows were changed here: `SET CONSTRAINTS ALL IMMEDIATE`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
