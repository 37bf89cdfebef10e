"""What readers chose of a dashboard's variables, for each message.

Revision 0007, after 0006.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a rewrite of the table: the default is a constant.
    op.execute("ALTER TABLE dashboard_messages ADD COLUMN variables jsonb DEFAULT '{}'::jsonb NOT NULL")
    op.execute(
        "ALTER TABLE dashboard_messages ADD CONSTRAINT ck_dashboard_messages_variables_is_object "
        "CHECK (jsonb_typeof(variables) = 'object')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE dashboard_messages DROP COLUMN variables")
