"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "home": {},
    "account": {},
}
# Addresses without records, or with a test of their own.
PUBLIC = {
    "account_reset_password",
    "healthy",
    "set_language",
    "signed_in",
}
