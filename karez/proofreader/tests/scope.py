"""Who may open which address of this room; `karez/web/tests/test_scope.py` walks them."""

# Addresses without records, or with a test of their own.
PUBLIC = {
    "proofreader:proof",
    "proofreader:proof_download",
    "proofreader:proof_example",
    "proofreader:proof_example_file",
}
