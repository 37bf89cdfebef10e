"""What the bot talks to: PostgreSQL, Discord, and the things of the lab."""
