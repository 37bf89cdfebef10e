"""The HomeLab Discord Bot: a homelab defined in PostgreSQL and living in Discord."""
