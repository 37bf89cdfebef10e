"""The ups source and what only it needs."""
