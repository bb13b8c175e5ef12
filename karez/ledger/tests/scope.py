"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses with a record of a place in them: what is put in, and how the page is asked.
SCOPED = {
    "ledger:book": ("book_id", "get"),
    "ledger:account": ("account_id", "get"),
    "ledger:account_counts": ("account_id", "both"),
    "ledger:countersign": ("count_id", "post"),
    "ledger:voucher": ("voucher_id", "get"),
    "ledger:reverse": ("voucher_id", "both"),
    "ledger:attach": ("voucher_id", "post"),
    "ledger:set": ("set_id", "both"),
}
# Addresses that show each reader their own part: they open, and nothing of another county is in them.
OWN = {
    "ledger:books": {},
    "ledger:pending": {},
    "ledger:counts": {},
}
