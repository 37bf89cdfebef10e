"""Calls from outside: a data source of the type push hears them.

Revision 0010, after 0009.

The web admin writes a row when somebody makes an address, and with every call; the bot is told by the same channel as
of definitions. Its role may not read the hashes of the tokens.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE pushes (
    data_source_id bigint NOT NULL,
    token_hash text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    called_at timestamptz,
    calls bigint DEFAULT 0 NOT NULL,
    status text DEFAULT 'up' NOT NULL,
    message text DEFAULT '' NOT NULL,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT pk_pushes PRIMARY KEY (data_source_id),
    CONSTRAINT uq_pushes_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_pushes_data_source_id_data_sources FOREIGN KEY (data_source_id) REFERENCES data_sources (id)
        ON DELETE CASCADE,
    CONSTRAINT ck_pushes_status_is_known CHECK (status IN ('up', 'degraded', 'down')),
    CONSTRAINT ck_pushes_metrics_is_object CHECK (jsonb_typeof(metrics) = 'object')
)
"""

ANNOUNCE = """
CREATE FUNCTION homelab_announce_push() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM homelab_notify('pushes', to_jsonb(NEW.data_source_id), TG_OP, NULL);
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ANNOUNCE)
    op.execute(
        "CREATE TRIGGER homelab_announce_push AFTER INSERT OR UPDATE ON pushes "
        "FOR EACH ROW EXECUTE FUNCTION homelab_announce_push()"
    )
    op.execute("REVOKE ALL ON pushes FROM homelab_bot")
    op.execute(
        "GRANT SELECT (data_source_id, created_at, called_at, calls, status, message, metrics) ON pushes TO homelab_bot"
    )


def downgrade() -> None:
    op.execute("DROP TABLE pushes")
    op.execute("DROP FUNCTION homelab_announce_push")
