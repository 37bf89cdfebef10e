"""The redis source and what only it needs."""
