"""The shell: base page, signing in, the inbox, and the addresses of every room's pages. Holds no records."""
