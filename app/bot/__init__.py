"""The Discord bot: consumes definitions from the database and brings them to life in Discord."""
