"""`python -m app` is the `homelab` command."""

from app.cli import main

main()
