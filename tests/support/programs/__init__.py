"""The real programs that tests talk to; tests/support/services.py says how they are run."""
