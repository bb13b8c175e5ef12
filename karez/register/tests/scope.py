"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "register:household": ("household_id", "both"),
    "register:dissolve": ("household_id", "both"),
    "register:person": ("person_id", "both"),
    "register:act": ("person_id", "both"),
    "register:correct": ("fact_id", "both"),
    "register:erase": ("request_id", "both"),
}
# Further words in an address beside the record.
MORE = {
    "register:act": {"what": "leave"},
    "register:correct": {"kind": "membership"},
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "register:erasures": {},
}
