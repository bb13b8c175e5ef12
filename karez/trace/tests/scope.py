"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "trace:catalogue": {},
    "trace:trace": {"region": "99", "year": 2009, "figure_id": "mutual_funds.villages_total"},
}
# Addresses without records, or with a test of their own.
PUBLIC = {
    "trace:record",
}
