"""Reads data sources, keeps what they returned, and writes history."""
