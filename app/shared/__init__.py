"""What both programs share: the database, secrets, templating."""
