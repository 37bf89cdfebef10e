"""A program with one migration more than ours, as a later release has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config

from app.shared.database.core import migrate

LATER = "9000"
_MIGRATION = """
from alembic import op

revision = "{later}"
down_revision = "{head}"


def upgrade():
    op.execute({statement!r})


def downgrade():
    pass
"""


def add_later_migration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, statement: str = "CREATE TABLE later (id bigint)"
) -> None:
    """Let the program know the migration LATER, which runs `statement`: databases made before are behind then."""
    written = _MIGRATION.format(later=LATER, head=migrate.compare(None).head, statement=statement)
    (folder / f"{LATER}_later.py").write_text(written)
    ours = migrate.config

    def config() -> Config:
        made = ours()
        made.set_main_option("version_locations", f"{made.get_main_option('script_location')}/versions:{folder}")
        return made

    monkeypatch.setattr(migrate, "config", config)
