"""The smart source and what only it needs."""
