"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "mutual_funds:society": ("society_id", "get"),
    "mutual_funds:loan": ("loan_id", "get"),
    "mutual_funds:act": ("society_id", "both"),
    "mutual_funds:found": ("area_id", "both"),
    "mutual_funds:act_loan": ("loan_id", "both"),
    "mutual_funds:proposal": ("mutual_proposal_id", "both"),
    "mutual_funds:resolution": ("resolution_id", "both"),
    "mutual_funds:attach": ("resolution_id", "post"),
    "mutual_funds:take_back": ("society_id", "both"),
}
# Further words in an address beside the record.
MORE = {
    "mutual_funds:act": {"what": "refund"},
    "mutual_funds:act_loan": {"what": "write-off"},
    "mutual_funds:take_back": {"voucher_id": "voucher_id"},
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "mutual_funds:societies": {},
    "mutual_funds:waiting": {},
}
