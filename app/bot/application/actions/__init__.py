"""Runs what users ask for: requests, permission, runs and their results."""
