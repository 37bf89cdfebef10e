"""The host source and what only it needs."""
