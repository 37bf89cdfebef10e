"""The prometheus source and what only it needs."""
