-- Every change of a definition is announced (NOTIFY homelab_changes), counted (definition_revisions) and dated.
--
-- Announcing is deferred to the commit. So the row of definition_revisions, which all writers of a table share, is
-- locked for the moment of the commit only: an open transaction keeps no other editor waiting, and taking one advisory
-- lock first rules out deadlocks between editors of several tables. The price: a transaction that changed rows must say
-- `SET CONSTRAINTS ALL IMMEDIATE` before it alters the same table.

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
$$;

CREATE FUNCTION homelab_notify(changed text, id jsonb, op text, parent jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    payload text := json_build_object('table', changed, 'id', id, 'op', op, 'parent', parent)::text;
BEGIN
    IF octet_length(payload) > 7900 THEN  -- PostgreSQL refuses 8000: without an id the reader reloads the table
        payload := json_build_object('table', changed, 'id', NULL, 'op', op, 'parent', parent)::text;
    END IF;
    PERFORM pg_notify('homelab_changes', payload);
END
$$;

-- Columns that say when something happened: they move without the definition changing.
CREATE FUNCTION homelab_seen_columns() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['updated_at', 'last_seen_at', 'last_used_at', 'last_login_at'] $$;

-- A role that may change a row (the bot: guilds) may count the change, but not write the counts: SECURITY DEFINER, with
-- a fixed search path (rights.sql) so that no temporary table can take the place of definition_revisions.
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
$$;

CREATE FUNCTION homelab_announce_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM homelab_notify(TG_TABLE_NAME, NULL, 'TRUNCATE', NULL);
    PERFORM homelab_count_revision(TG_TABLE_NAME);
    RETURN NULL;
END
$$;

CREATE FUNCTION homelab_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - homelab_seen_columns() <> to_jsonb(OLD) - homelab_seen_columns() THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$;

-- A dashboard's version rises with itself and with each of its components.
CREATE FUNCTION homelab_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END
$$;

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
$$;

CREATE TRIGGER homelab_raise_version BEFORE UPDATE ON dashboards
FOR EACH ROW EXECUTE FUNCTION homelab_raise_version();

CREATE TRIGGER homelab_raise_version_of_dashboard AFTER INSERT OR UPDATE OR DELETE ON dashboard_components
FOR EACH ROW EXECUTE FUNCTION homelab_raise_version_of_dashboard();

-- Two tables that are no definitions tell the bot of their rows by the same channel.
CREATE FUNCTION homelab_announce_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM homelab_notify('source_tests', to_jsonb(NEW.id), 'INSERT', NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER homelab_announce_test AFTER INSERT ON source_tests
FOR EACH ROW EXECUTE FUNCTION homelab_announce_test();

CREATE FUNCTION homelab_announce_push() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM homelab_notify('pushes', to_jsonb(NEW.data_source_id), TG_OP, NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER homelab_announce_push AFTER INSERT OR UPDATE ON pushes
FOR EACH ROW EXECUTE FUNCTION homelab_announce_push();
