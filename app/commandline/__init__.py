"""The commands of `homelab`, one file per group; app.cli puts them together."""
