"""The real programs that tests talk to; tests/services.py says how they are run."""
