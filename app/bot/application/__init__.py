"""Use cases: builders, collection, publishing and supervision, reaching the world through protocols."""
