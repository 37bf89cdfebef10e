"""The built-in definitions, as YAML by kind, and how they come into the database."""
