"""Integrations: rows that describe requests and mappings, so that a new service needs no code."""
