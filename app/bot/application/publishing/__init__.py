"""Keeps the messages of dashboards as their definitions want them."""
