"""Pages that people use: overview, preview of a dashboard, login and account."""
