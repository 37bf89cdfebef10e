"""The mqtt source and what only it needs."""
