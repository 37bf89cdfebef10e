"""The shared database: models (the schema), migrations (Alembic), core (server, connections, pools)."""
