"""The speedtest source and what only it needs."""
