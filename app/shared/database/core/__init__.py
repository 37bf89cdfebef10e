"""The embedded server, addresses, connections, pools, migrations and roles."""
