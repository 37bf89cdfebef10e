"""Slash commands, buttons and selects: an interaction becomes an application call."""
