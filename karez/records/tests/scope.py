"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "records:list_of": ("society_id", "get"),
    "records:file_of": ("society_id", "get"),
    "records:record": ("contribution_id", "get"),
}
# Further words in an address beside the record.
MORE = {
    "records:list_of": {"name": "mutual_funds.loans", "of": "mutual_funds.society"},
    "records:file_of": {"name": "mutual_funds.grants", "of": "mutual_funds.society"},
    "records:record": {"name": "mutual_funds.contribution"},
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "records:list": {"name": "mutual_funds.societies"},
    "records:file": {"name": "mutual_funds.societies"},
}
