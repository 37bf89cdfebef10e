"""The sql source and what only it needs."""
