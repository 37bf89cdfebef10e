"""Dashboards as Discord will show them: built by the bot's own builder, drawn as HTML."""
