-- The bot's role: it reads definitions, writes what it remembers, and can change no table. It belongs to the whole
-- server, so it may exist from another database, and a downgrade leaves it there.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'homelab_bot') THEN
        CREATE ROLE homelab_bot LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of this server made it at the same time
END
$$;

-- By default it reads tables that are made later: a migration revokes that where it must not.
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
$$;

-- It cannot read users, api_tokens and revisions, nor the hashes of the tokens of pushes. It reads secrets, which are
-- sealed, because it needs the Discord token.
GRANT SELECT ON alembic_version, settings, guilds, dashboards, dashboard_components, component_types, data_source_types,
    data_sources, service_types, services, action_types, actions, command_types, commands, permission_grants, secrets,
    definition_revisions, source_tests TO homelab_bot;
GRANT SELECT (data_source_id, created_at, called_at, calls, status, message, metrics) ON pushes TO homelab_bot;
REVOKE ALL ON SEQUENCE revisions_id_seq FROM homelab_bot;

-- Of guilds it may add rows and keep name and last_seen_at; tests of sources it may answer, not ask for; to the audit
-- log it can only add; of samples it may delete none but whole partitions.
GRANT INSERT (id, name, last_seen_at), UPDATE (name, last_seen_at) ON guilds TO homelab_bot;
GRANT UPDATE (started_at, finished_at, result) ON source_tests TO homelab_bot;
GRANT SELECT, INSERT ON audit_log TO homelab_bot;
GRANT SELECT, INSERT, UPDATE ON samples, samples_five_minutes, samples_hours TO homelab_bot;
GRANT SELECT, INSERT, UPDATE, DELETE ON dashboard_placements, dashboard_messages, source_states, service_states,
    discord_channels, bot_instances, series, rollup_marks, action_runs, pgqueuer, pgqueuer_log, pgqueuer_statistics,
    pgqueuer_schedules TO homelab_bot;

-- Functions that run with the owner's rights, or write for other tables' triggers, look up names in this schema only.
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'homelab_announce()', 'homelab_announce_truncate()', 'homelab_raise_version_of_dashboard()', 'homelab_revise()',
        'homelab_revise_truncate()', 'homelab_make_partitions(text, timestamptz, timestamptz)',
        'homelab_drop_partitions(text, timestamptz)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION homelab_watch(regclass, text, text), homelab_count_revision(text),
    homelab_notify(text, jsonb, text, jsonb), homelab_keep_revisions(regclass, text, text),
    homelab_keep_revision(text, text, text, text, jsonb, jsonb),
    homelab_make_partitions(text, timestamptz, timestamptz), homelab_drop_partitions(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION homelab_make_partitions(text, timestamptz, timestamptz),
    homelab_drop_partitions(text, timestamptz) TO homelab_bot;
