"""The unit in which a guild is shown temperatures.

Revision 0005, after 0004.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a rewrite of the table: the default is a constant.
    op.execute("ALTER TABLE guilds ADD COLUMN temperature_unit text DEFAULT 'celsius' NOT NULL")
    op.execute(
        "ALTER TABLE guilds ADD CONSTRAINT ck_guilds_temperature_unit_is_known "
        "CHECK (temperature_unit IN ('celsius', 'fahrenheit'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE guilds DROP COLUMN temperature_unit")
