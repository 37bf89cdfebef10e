"""Reads sources of integrations: sends what their rows describe, and takes out what their mappings name."""
