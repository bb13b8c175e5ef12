"""Takes an applied file back: its facts are voided and its vouchers reversed, if nothing was built on them. Deletes
nothing.
"""

from collections.abc import Callable, Mapping

from karez.kernel.messages import Text, say
from karez.kernel.sheets import Applying, Check

_VOID = """UPDATE {table} SET voided_at = now(), voided_by_id = %s, void_reason = %s,
 void_counts_on = GREATEST({counts}, periods_first_open_day()) WHERE batch_id = %s AND voided_at IS NULL"""
REASON = say("the batch was withdrawn")
# A household made by a file of members stays where somebody else recorded persons, an assessment or a case of it
# meanwhile.
_STAYS = {
    "register_household": "".join(
        (
            f" AND NOT EXISTS (SELECT FROM register_{other} x WHERE x.household_id = register_household.id AND "
            "x.voided_at IS NULL)"
        )
        for other in ("membership", "assessment", "casespell")
    )
}


def _withdrawal(reverse: bool, **tables: str) -> Callable[[Applying], Mapping[str, int]]:
    """A function that voids the batch's rows of `tables` (label = table and its counting column), then reverses its
    vouchers.
    """

    def withdraw(given: Applying) -> Mapping[str, int]:
        counts = {}
        for label, table in tables.items():
            name, column = table.split(".")
            given.cursor.execute(
                _VOID.format(table=name, counts=column) + _STAYS.get(name, ""),
                [given.approver_id, REASON, given.batch_id],
            )
            counts[label] = int(given.cursor.rowcount)
        if reverse:
            given.cursor.execute(  # the two people of the withdrawal, not those of the file
                "SELECT ledger_bulk_reverse(id, withdrawal_by_id, %s, %s) FROM intake_batch WHERE id = %s",
                [given.approver_id, REASON, given.batch_id],
            )
            counts["vouchers"] = int(given.cursor.fetchone()[0])
        return counts

    return withdraw


withdraw: dict[str, Callable[[Applying], Mapping[str, int]]] = {
    "societies": _withdrawal(
        False, rules="mutual_funds_ruleset.counts_from", societies="mutual_funds_society.counts_from"
    ),
    "society_openings": _withdrawal(True, openings="mutual_funds_opening.counts_on"),
    "grants": _withdrawal(True, grants="mutual_funds_grant.counts_on"),
    "fund_members": _withdrawal(
        False, members="mutual_funds_member.counts_from", households="register_household.counts_from"
    ),
    "contributions": _withdrawal(True, contributions="mutual_funds_contribution.counts_on"),
    "loans": _withdrawal(True, loans="mutual_funds_loan.counts_on"),
    "repayments": _withdrawal(True, repayments="mutual_funds_repayment.counts_on"),
    "gifts": _withdrawal(True, gifts="mutual_funds_gift.counts_on"),
    "loan_extensions": _withdrawal(False, extensions="mutual_funds_extension.counts_on"),
}


def _stands_on(rule: str, expected: Text, sql: str) -> Check:
    return Check(rule=f"mutual_funds_{rule}", column="", expected=expected, sql=sql, todo=say("take those back first"))


SOCIETY_BUILT_ON = (
    _stands_on(
        "society_built_on",
        say("no member, opening, grant, gift or loan of these societies"),
        """SELECT so.id, so.name FROM mutual_funds_society so WHERE so.batch_id = %(batch_id)s AND so.voided_at IS NULL
            AND (
        EXISTS (SELECT FROM mutual_funds_member x WHERE x.society_id = so.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_opening x WHERE x.society_id = so.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_grant x WHERE x.society_id = so.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_gift x WHERE x.society_id = so.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_loan x WHERE x.society_id = so.id AND x.voided_at IS NULL))""",
    ),
)
OPENING_BUILT_ON = (
    _stands_on(
        "opening_built_on",
        say("no contribution or loan counted from these openings"),
        """SELECT o.id, so.name FROM mutual_funds_opening o JOIN mutual_funds_society so ON so.id = o.society_id
        WHERE o.batch_id = %(batch_id)s AND o.voided_at IS NULL AND (
        EXISTS (SELECT FROM mutual_funds_loan x WHERE x.society_id = so.id AND x.opening AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_contribution x JOIN mutual_funds_member m ON m.id = x.member_id
          WHERE m.society_id = so.id AND x.kind = 'opening' AND x.voided_at IS NULL))""",
    ),
)
MEMBER_BUILT_ON = (
    _stands_on(
        "member_built_on",
        say("no contribution or loan of these members"),
        """SELECT m.id, h.household_no FROM mutual_funds_member m JOIN register_household h ON h.id = m.household_id
        WHERE m.batch_id = %(batch_id)s AND m.voided_at IS NULL AND (
        EXISTS (SELECT FROM mutual_funds_contribution x WHERE x.member_id = m.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_loan x WHERE x.member_id = m.id AND x.voided_at IS NULL))""",
    ),
)
LOAN_BUILT_ON = (
    _stands_on(
        "loan_built_on",
        say("no repayment, extension or write-off of these loans"),
        """SELECT l.id, l.loan_no FROM mutual_funds_loan l WHERE l.batch_id = %(batch_id)s AND l.voided_at IS NULL AND (
        EXISTS (SELECT FROM mutual_funds_repayment x WHERE x.loan_id = l.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_extension x WHERE x.loan_id = l.id AND x.voided_at IS NULL)
        OR EXISTS (SELECT FROM mutual_funds_writeoff x WHERE x.loan_id = l.id AND x.voided_at IS NULL))""",
    ),
)
