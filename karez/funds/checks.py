"""What is looked at before a year is closed: lines balance, records and ledger agree, nothing prepared was left half
done.
"""

from karez.funds.models import Proposal
from karez.funds.words import PROGRAMMES
from karez.kernel.figure_tables import ClosingCheck
from karez.kernel.message_field import label_sql
from karez.kernel.messages import say

_COUNTS = "(counts_on <= %(as_of)s AND (void_counts_on IS NULL OR void_counts_on > %(as_of)s))"
_KIND = label_sql("p.kind", dict(Proposal.Kind.choices))
_PROGRAMME = label_sql("l.programme", PROGRAMMES)

CHECKS = (
    ClosingCheck(
        name="funds_records_equal_books",
        label=say(
            "Appropriations and allocations on record equal what the books of office and "
            "counties received, line by line"
        ),
        sql=f"""
WITH recorded AS (
    SELECT line_id, 'office' AS kind, area_id, sum(amount_fen) AS fen FROM funds_appropriation WHERE {_COUNTS}
        GROUP BY 1, 2, 3
    UNION ALL
    SELECT line_id, 'county', area_id, sum(amount_fen) FROM funds_allocation WHERE {_COUNTS} GROUP BY 1, 2, 3
), moved AS (  -- a reversal takes back what came in, so it is left out where the voucher it reverses had gone out
    SELECT a.line_id, a.book_kind AS kind, a.area_id, sum(CASE WHEN t.credit_account_id = a.account_id THEN t.amount_fen
        ELSE -t.amount_fen END) AS fen
      FROM funds_line_account a
      JOIN ledger_transfer t ON (t.credit_account_id = a.account_id OR t.debit_account_id = a.account_id)
          AND t.booking_date <= %(as_of)s
      JOIN ledger_voucher v ON v.id = t.voucher_id LEFT JOIN ledger_transfer o ON o.voucher_id = v.reverses_id
          AND o.line_no = t.line_no
     WHERE CASE WHEN v.reverses_id IS NULL THEN t.credit_account_id = a.account_id
         ELSE o.credit_account_id = a.account_id END
     GROUP BY 1, 2, 3
)
SELECT karez_say('{{1}} in {{2}}', l.code::text, coalesce(p.name_en, area_id::text)::text), karez_say('{{1}} fen on record', coalesce(r.fen, 0)::text),
       karez_say('{{1}} fen in the books', coalesce(m.fen, 0)::text), '/funds/lines/' || l.id || '/'
  FROM recorded r FULL JOIN moved m USING (line_id, kind, area_id) JOIN funds_sourceline l ON l.id = line_id
  LEFT JOIN places_tree p USING (area_id)
 WHERE coalesce(r.fen, 0) <> coalesce(m.fen, 0)""",
        todo=say("approve what was posted in the ledger alone, or take back the record whose voucher was reversed"),
        acceptable=False,
    ),
    ClosingCheck(
        name="funds_lines_keep_apart",
        label=say("No transfer moves money from one source line to another"),
        sql="""
SELECT karez_say('transfer {1}', t.id::text), karez_say('{1} and {2}', d.code::text, c.code::text), karez_say('one source line'), '/ledger/vouchers/' || t.voucher_id || '/'
  FROM ledger_transfer t JOIN funds_line_account x ON x.account_id = t.debit_account_id
  JOIN funds_line_account y ON y.account_id = t.credit_account_id
  JOIN ledger_account d ON d.id = t.debit_account_id JOIN ledger_account c ON c.id = t.credit_account_id
 WHERE t.booking_date <= %(as_of)s""",
        todo=say("reverse the voucher; money of one line is never spent as money of another"),
        acceptable=False,
    ),
    ClosingCheck(
        name="funds_nothing_waits",
        label=say("No appropriation or allocation of the year waits for approval"),
        sql=f"""
SELECT karez_say('{{1}} {{2}}', {_KIND}, p.reference), karez_say('prepared, not decided'), karez_say('approved or refused'), '/ledger/sets/' || s.id || '/'
  FROM funds_proposal p JOIN ledger_set s ON s.id = p.set_id OR s.id = p.second_set_id
 WHERE s.approved_at IS NULL AND s.refused_at IS NULL AND periods_counts_on(p.happened_on) <= %(as_of)s""",
        todo=say("have them approved or refused"),
    ),
    ClosingCheck(
        name="funds_year_has_standards",
        label=say("Programmes with money of the year have a grant standard in force, where they ever had one"),
        sql=f"""
SELECT DISTINCT {_PROGRAMME}, karez_say('no standard in force'), karez_say('a grant standard'), '/funds/standards/'
  FROM funds_sourceline l
 WHERE l.voided_at IS NULL AND l.year = %(year)s
   AND EXISTS (SELECT 1 FROM funds_grantstandard s WHERE s.programme = l.programme AND s.voided_at IS NULL)
   AND NOT EXISTS (SELECT 1 FROM funds_grantstandard s WHERE s.programme = l.programme AND s.voided_at IS NULL
                    AND s.starts_on <= %(as_of)s AND (s.ends_before IS NULL OR s.ends_before > %(as_of)s))""",
        todo=say("load the standard of the year"),
    ),
)
