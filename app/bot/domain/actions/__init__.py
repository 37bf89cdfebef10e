"""Actions, commands and their parameters: what a user may do."""
