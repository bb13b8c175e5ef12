"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "intake:batch": ("batch_id", "get"),
    "intake:progress": ("batch_id", "get"),
    "intake:faults": ("batch_id", "get"),
    "intake:decide": ("batch_id", "post"),
    "intake:enter_which": ("area_id", "get"),
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "intake:options": {"sheet": "register", "column": "household_no"},
    "intake:batches": {},
    "intake:send": {},
    "intake:enter": {"sheet": "register"},
    "intake:template": {"sheet": "register"},
}
