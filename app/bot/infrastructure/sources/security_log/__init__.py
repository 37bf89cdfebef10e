"""The security_log source and what only it needs."""
