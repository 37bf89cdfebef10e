"""The domain_expiry source and what only it needs."""
