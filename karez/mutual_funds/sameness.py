"""What makes two records of money of a society the same, declared once for files, records and forms. Holds no asking:
`intake.sameness`.

Loans are told apart by their number, which is given once. A base share moves no money but is a share all the same.
"""

from karez.kernel.sheets import Sameness

# Own money from before the first year is called `opening` on record and `own` in a file.
CONTRIBUTION = Sameness(
    column="paid_on",
    staged="""SELECT r.row_no, r.member_id, r.paid_on, r.kind, r.amount, '', r.receipt_no FROM {stage} r
        WHERE r.member_id IS NOT NULL""",
    recorded="""SELECT c.member_id, c.happened_on, CASE c.kind WHEN 'opening' THEN 'own'
        ELSE c.kind END, c.amount_fen, '', c.receipt_no,
        c.batch_id, c.recorded_at FROM mutual_funds_contribution c WHERE c.voided_at IS NULL""",
)

REPAYMENT = Sameness(
    column="paid_on",
    staged="""SELECT r.row_no, r.loan_id, r.paid_on, '', r.principal + r.fee, r.principal || '+' || r.fee, r.receipt_no
        FROM {stage} r WHERE r.loan_id IS NOT NULL""",
    recorded="""SELECT p.loan_id, p.happened_on, '', p.principal_fen + p.fee_fen, p.principal_fen || '+' || p.fee_fen,
        p.receipt_no,
        p.batch_id, p.recorded_at FROM mutual_funds_repayment p WHERE p.voided_at IS NULL""",
)

# The document that grants it stands where others have a receipt.
GRANT = Sameness(
    column="granted_on",
    staged="""SELECT r.row_no, r.society_id, r.granted_on, r.source_line_id::text, r.amount, '', r.document
        FROM {stage} r WHERE r.society_id IS NOT NULL""",
    recorded="""SELECT g.society_id, g.happened_on, g.source_line_id::text, g.amount_fen, '', g.document_no,
        g.batch_id, g.recorded_at
        FROM mutual_funds_grant g WHERE g.voided_at IS NULL""",
)

# What spellings of the giver share is what those of a number share.
GIFT = Sameness(
    column="given_on",
    staged="""SELECT r.row_no, r.society_id, r.given_on, intake_number_key(r.giver), r.amount, '', '' FROM {stage} r
        WHERE r.society_id IS NOT NULL""",
    recorded="""SELECT g.society_id, g.happened_on, intake_number_key(g.giver), g.amount_fen, '', '', g.batch_id,
        g.recorded_at
        FROM mutual_funds_gift g WHERE g.voided_at IS NULL""",
)
