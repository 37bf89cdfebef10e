"""The REST API, version 1: the same records, checks and audit log as the web pages."""
