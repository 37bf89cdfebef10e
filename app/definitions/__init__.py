"""Definitions as the web admin and the REST API change them: one description, one validation, one way to save."""
