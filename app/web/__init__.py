"""The web admin: it owns the definitions, shows them as Discord will, and offers them as a REST API."""
