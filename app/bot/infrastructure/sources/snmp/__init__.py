"""The snmp source and what only it needs."""
