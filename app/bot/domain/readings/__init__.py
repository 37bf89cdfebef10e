"""What is read from a lab: sources, readings, their past, and thresholds on them."""
