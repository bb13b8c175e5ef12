"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses of the whole region or of its administrators, closed to a county's officer.
REGION_ONLY = {
    "closing:years": ({}, "get"),
    "closing:year": ({"year": 2009}, "get"),
    "closing:progress": ({"year": 2009}, "get"),
    "closing:act": ({"year": 2009}, "post"),
}
