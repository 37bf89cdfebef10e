"""Reads sources of declarative types: sends what their rows describe, and takes out what their mappings name."""
