"""People who sign in, what they may do where, and the log of reads. Knows no room above it."""
