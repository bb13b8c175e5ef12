"""What surrounds the rooms on a machine: the database server, its roles, backup and restore. No room imports it."""
