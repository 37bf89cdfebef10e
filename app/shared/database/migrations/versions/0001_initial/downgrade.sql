-- Drop all that the other files made, and take the role's rights away; the role stays.

DROP TABLE pushes, source_tests, audit_log, bot_instances, discord_channels, service_states, source_states,
    dashboard_messages, dashboard_placements, action_runs, pgqueuer, pgqueuer_log, pgqueuer_schedules,
    pgqueuer_statistics, series, samples, samples_five_minutes, samples_hours, rollup_marks, revisions,
    definition_revisions, api_tokens, users, secrets, permission_grants, commands, command_types, actions,
    action_types, services, service_types, data_sources, data_source_types, component_types, dashboard_components,
    dashboards, guilds, settings;
DROP TYPE pgqueuer_status;
DROP FUNCTION fn_pgqueuer_changed, homelab_watch, homelab_keep_revisions, homelab_revise, homelab_revise_truncate,
    homelab_keep_revision, homelab_actor, homelab_silent_columns, homelab_concealed_columns, homelab_announce,
    homelab_announce_truncate, homelab_announce_test, homelab_announce_push, homelab_touch, homelab_raise_version,
    homelab_raise_version_of_dashboard, homelab_count_revision, homelab_notify, homelab_seen_columns,
    homelab_make_partitions, homelab_drop_partitions, homelab_partition_span;

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
$$;
