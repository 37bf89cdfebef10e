"""Who may use the web admin: passwords, sessions, tokens, limits, and the headers that browsers enforce."""
