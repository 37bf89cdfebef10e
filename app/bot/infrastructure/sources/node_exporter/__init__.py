"""The node_exporter source and what only it needs."""
