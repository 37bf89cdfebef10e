"""Config as code: definitions in YAML files, written from the database and applied to it."""
