"""`python -m app` is the `homelab` command."""

from app.cli.main import main

main()
