"""What this installation is to the rooms: its folders, database, sessions, clock, keys, names and logs. Runs nothing."""
