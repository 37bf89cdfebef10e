"""Triggers: every change of a definition is announced, counted and dated.

Revision 0002, after 0001.

`homelab_watch(table, key, parent)` puts them on a table; a migration that makes a definition table calls it.

Announcing is deferred to the commit. So the row of definition_revisions, which all writers of a table share, is locked
for the moment of the commit only: an open transaction keeps no other editor waiting, and taking one advisory lock
first rules out deadlocks between editors of several tables. The price: a transaction that changed rows must say
`SET CONSTRAINTS ALL IMMEDIATE` before it alters the same table.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WATCHED = (
    ("settings", "key", None),
    ("guilds", "id", None),
    ("dashboards", "id", None),
    ("dashboard_components", "id", "dashboard_id"),
    ("component_types", "name", None),
    ("data_source_types", "name", None),
    ("data_sources", "id", None),
    ("service_types", "name", None),
    ("services", "id", None),
    ("action_types", "name", None),
    ("actions", "id", None),
    ("command_types", "name", None),
    ("commands", "id", None),
    ("permission_grants", "id", None),
    ("secrets", "id", None),
    ("users", "id", None),
    ("api_tokens", "id", None),
)

COUNT = """
CREATE FUNCTION homelab_count_revision(changed text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    counted text := 'homelab.counted_' || changed;
    this_transaction text := pg_current_xact_id()::text;
BEGIN
    IF current_setting(counted, true) IS NOT DISTINCT FROM this_transaction THEN
        RETURN;  -- a transaction counts once per table, however many rows it changes
    END IF;
    PERFORM set_config(counted, this_transaction, true);
    PERFORM pg_advisory_xact_lock(hashtext('homelab.definition_revisions'));
    INSERT INTO definition_revisions AS known (table_name, revision, changed_at) VALUES (changed, 1, now())
    ON CONFLICT (table_name) DO UPDATE SET revision = known.revision + 1, changed_at = now();
END
$$
"""

NOTIFY = """
CREATE FUNCTION homelab_notify(changed text, id jsonb, op text, parent jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    payload text := json_build_object('table', changed, 'id', id, 'op', op, 'parent', parent)::text;
BEGIN
    IF octet_length(payload) > 7900 THEN  -- PostgreSQL refuses 8000: without an id the reader reloads the table
        payload := json_build_object('table', changed, 'id', NULL, 'op', op, 'parent', parent)::text;
    END IF;
    PERFORM pg_notify('homelab_changes', payload);
END
$$
"""

SEEN_COLUMNS = """
CREATE FUNCTION homelab_seen_columns() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['updated_at', 'last_seen_at', 'last_used_at', 'last_login_at'] $$
"""
"""Columns that say when something happened: they move without the definition changing."""

# Whoever may change a row (the bot: guilds) may count the change, but not write the counts: SECURITY DEFINER, with a
# fixed search path so that no temporary table can take the place of definition_revisions.
ANNOUNCE = """
CREATE FUNCTION homelab_announce() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    key text := TG_ARGV[0];
    parent text := NULLIF(TG_ARGV[1], '');
    silent text[] := homelab_seen_columns();
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    IF TG_TABLE_NAME = 'dashboards' THEN
        silent := silent || 'version'::text;  -- raised with a component, which is announced itself
    END IF;
    IF TG_OP = 'UPDATE' AND before - silent = after - silent THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR before -> key <> after -> key OR before -> parent <> after -> parent THEN
        PERFORM homelab_notify(TG_TABLE_NAME, before -> key, 'DELETE', before -> parent);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM homelab_notify(TG_TABLE_NAME, after -> key, TG_OP, after -> parent);
    END IF;
    PERFORM homelab_count_revision(TG_TABLE_NAME);
    RETURN NULL;
END
$$
"""

ANNOUNCE_TRUNCATE = """
CREATE FUNCTION homelab_announce_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM homelab_notify(TG_TABLE_NAME, NULL, 'TRUNCATE', NULL);
    PERFORM homelab_count_revision(TG_TABLE_NAME);
    RETURN NULL;
END
$$
"""

TOUCH = """
CREATE FUNCTION homelab_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - homelab_seen_columns() <> to_jsonb(OLD) - homelab_seen_columns() THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$
"""

RAISE_VERSION = """
CREATE FUNCTION homelab_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END
$$
"""

RAISE_VERSION_OF_DASHBOARD = """
CREATE FUNCTION homelab_raise_version_of_dashboard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    UPDATE dashboards SET version = version + 1
    WHERE id IN (
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.dashboard_id END,
        CASE WHEN TG_OP <> 'DELETE' THEN NEW.dashboard_id END
    );
    RETURN NULL;
END
$$
"""

WATCH = """
CREATE FUNCTION homelab_watch(watched regclass, key text, parent text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER homelab_touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION homelab_touch()', watched);
    EXECUTE format(
        'CREATE CONSTRAINT TRIGGER homelab_announce AFTER INSERT OR UPDATE OR DELETE ON %s '
        'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION homelab_announce(%L, %L)',
        watched, key, COALESCE(parent, ''));
    EXECUTE format(
        'CREATE TRIGGER homelab_announce_truncate AFTER TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION homelab_announce_truncate()', watched);
    INSERT INTO definition_revisions (table_name) VALUES (watched::text) ON CONFLICT DO NOTHING;
END
$$
"""

FIX_SEARCH_PATH = """
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'homelab_announce()', 'homelab_announce_truncate()', 'homelab_raise_version_of_dashboard()'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
    END LOOP;
    REVOKE EXECUTE ON FUNCTION homelab_watch(regclass, text, text) FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION homelab_count_revision(text) FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION homelab_notify(text, jsonb, text, jsonb) FROM PUBLIC;
END
$$
"""

VERSIONS = (
    "CREATE TRIGGER homelab_raise_version BEFORE UPDATE ON dashboards "
    "FOR EACH ROW EXECUTE FUNCTION homelab_raise_version()",
    "CREATE TRIGGER homelab_raise_version_of_dashboard AFTER INSERT OR UPDATE OR DELETE ON dashboard_components "
    "FOR EACH ROW EXECUTE FUNCTION homelab_raise_version_of_dashboard()",
)


def upgrade() -> None:
    announcing = (COUNT, NOTIFY, SEEN_COLUMNS, ANNOUNCE, ANNOUNCE_TRUNCATE)
    dating = (TOUCH, RAISE_VERSION, RAISE_VERSION_OF_DASHBOARD)
    for statement in (*announcing, *dating, WATCH, FIX_SEARCH_PATH, *VERSIONS):
        op.execute(statement)
    for table, key, parent in WATCHED:
        arguments = ", ".join(f"'{name}'" for name in (table, key, parent) if name)
        op.execute(f"SELECT homelab_watch({arguments})")


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION homelab_watch, homelab_announce, homelab_announce_truncate, homelab_touch, "
        "homelab_raise_version, homelab_raise_version_of_dashboard, homelab_count_revision, homelab_notify, "
        "homelab_seen_columns CASCADE"
    )
    op.execute("DELETE FROM definition_revisions")
