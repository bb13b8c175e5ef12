"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "chapter:home": {},
    "chapter:chapter": {"region": "99", "year": 2009},
    "chapter:figures": {"region": "99", "year": 2009},
}
