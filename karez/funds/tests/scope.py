"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "funds:proposal": ("fund_proposal_id", "both"),
    "funds:take_back_allocation": ("allocation_id", "both"),
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "funds:lines": {},
    "funds:waiting": {},
    "funds:standards": {},
    "funds:line": {"line_id": "line_id"},
}
# Addresses of the whole region or of its administrators, closed to a county's officer.
REGION_ONLY = {
    "funds:take_back_appropriation": ({"appropriation_id": 1}, "both"),
    "funds:prepare": ({"line_id": "line_id", "what": "appropriation"}, "both"),
}
