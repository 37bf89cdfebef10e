"""The bot's role: it reads definitions, writes what it remembers, and can change no table.

Revision 0003, after 0002.

It cannot read users and api_tokens. It reads secrets, which are sealed, because it needs the Discord token. Of guilds
it may add rows and keep name and last_seen_at. The audit log it can only add to. The role belongs to the whole server,
so it may exist from another database, and a downgrade leaves it there.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

READ = (
    "alembic_version, settings, guilds, dashboards, dashboard_components, component_types, data_source_types, "
    "data_sources, service_types, services, action_types, actions, command_types, commands, permission_grants, "
    "secrets, definition_revisions"
)
WRITE = "dashboard_messages, source_states, service_states, discord_channels, bot_instances"

CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'homelab_bot') THEN
        CREATE ROLE homelab_bot LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of this server made it at the same time
END
$$
"""

RIGHTS_ON_SCHEMA = """
DO $$
DECLARE
    here text := current_schema();
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO homelab_bot', current_database());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', here);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO homelab_bot', here);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO homelab_bot', here);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO homelab_bot', here);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO homelab_bot', here);
END
$$
"""

WITHDRAW_FROM_SCHEMA = """
DO $$
DECLARE
    here text := current_schema();
BEGIN
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE SELECT ON TABLES FROM homelab_bot', here);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE USAGE ON SEQUENCES FROM homelab_bot', here);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM homelab_bot', here);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM homelab_bot', here);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM homelab_bot', here);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM homelab_bot', current_database());
END
$$
"""


def upgrade() -> None:
    op.execute(CREATE_ROLE)
    op.execute(RIGHTS_ON_SCHEMA)
    op.execute(f"GRANT SELECT ON {READ} TO homelab_bot")
    op.execute("GRANT INSERT (id, name, last_seen_at), UPDATE (name, last_seen_at) ON guilds TO homelab_bot")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {WRITE} TO homelab_bot")
    op.execute("GRANT SELECT, INSERT ON audit_log TO homelab_bot")


def downgrade() -> None:
    op.execute(WITHDRAW_FROM_SCHEMA)
