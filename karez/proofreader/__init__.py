"""Whether what is printed holds together. Knows no records."""
