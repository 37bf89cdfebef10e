"""What keeps the bot running: the definitions in memory, supervision, statistics."""
