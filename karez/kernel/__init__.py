"""Pure values and declarations every room may use. Holds no tables and reads no settings."""
