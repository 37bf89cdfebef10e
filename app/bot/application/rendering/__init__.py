"""Definitions and readings become views; the web admin's preview uses the same code."""
