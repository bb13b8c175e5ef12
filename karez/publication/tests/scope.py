"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses of the whole region or of its administrators, closed to a county's officer.
REGION_ONLY = {
    "publication:edition": ({"edition_id": 1}, "both"),
    "publication:prepare": ({"region": "99", "year": 2009}, "post"),
}
# Addresses without records, or with a test of their own.
PUBLIC = {
    "publication:public_edition",
    "publication:public_editions",
    "publication:public_file",
}
