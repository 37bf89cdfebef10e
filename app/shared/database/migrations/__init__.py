"""Alembic migrations. The web admin's side alone runs them (app.shared.database.core.migrate, or `alembic`)."""
