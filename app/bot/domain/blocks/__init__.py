"""Neutral drawables, Discord's limits on them, and how a view that is too large is split."""
