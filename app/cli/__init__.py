"""The commands of `homelab`, one file per group; app.cli.main puts them together."""
