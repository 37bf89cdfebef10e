-- `homelab_watch(table, key, parent)` has a definition table announced, counted, dated and its revisions kept; each
-- migration that makes a definition table calls it. `parent` is the column that names the record it belongs to.

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
    PERFORM homelab_keep_revisions(watched, key, parent);
    INSERT INTO definition_revisions (table_name) VALUES (watched::text) ON CONFLICT DO NOTHING;
END
$$;

SELECT homelab_watch('settings', 'key');
SELECT homelab_watch('guilds', 'id');
SELECT homelab_watch('dashboards', 'id');
SELECT homelab_watch('dashboard_components', 'id', 'dashboard_id');
SELECT homelab_watch('component_types', 'name');
SELECT homelab_watch('data_source_types', 'name');
SELECT homelab_watch('data_sources', 'id');
SELECT homelab_watch('service_types', 'name');
SELECT homelab_watch('services', 'id');
SELECT homelab_watch('action_types', 'name');
SELECT homelab_watch('actions', 'id');
SELECT homelab_watch('command_types', 'name');
SELECT homelab_watch('commands', 'id');
SELECT homelab_watch('permission_grants', 'id');
SELECT homelab_watch('secrets', 'id');
SELECT homelab_watch('users', 'id');
SELECT homelab_watch('api_tokens', 'id');

-- Three tables hold builtin types only, of which no revisions are kept. Revisions of dashboards and API tokens know
-- what they belong to; announcements of them do not need it.
DO $$
DECLARE
    watched regclass;
BEGIN
    FOREACH watched IN ARRAY ARRAY['service_types', 'action_types', 'command_types', 'dashboards', 'api_tokens'] LOOP
        EXECUTE format('DROP TRIGGER homelab_revise ON %s', watched);
        EXECUTE format('DROP TRIGGER homelab_revise_truncate ON %s', watched);
    END LOOP;
    PERFORM homelab_keep_revisions('dashboards', 'id', 'guild_id');
    PERFORM homelab_keep_revisions('api_tokens', 'id', 'user_id');
END
$$;
