"""Table management with starlette-admin: every kind of record as a list and a form."""
