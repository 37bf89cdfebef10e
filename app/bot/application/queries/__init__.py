"""Answers what users ask: status, sources, permissions, audit."""
