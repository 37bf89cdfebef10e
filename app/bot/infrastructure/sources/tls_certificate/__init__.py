"""The tls_certificate source and what only it needs."""
