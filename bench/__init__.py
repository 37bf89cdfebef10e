"""Benchmarks of the budgets: ratios side by side in one run, for absolute times depend on the machine."""
