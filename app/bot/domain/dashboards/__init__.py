"""Dashboards and where they are shown."""
