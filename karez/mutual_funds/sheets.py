"""The files of village mutual funds that may be loaded. Holds their declarations; columns, checks and writing are
beside it.

Order of loading: societies, openings of older ones, members, contributions and grants, loans, repayments. A loan is
judged by what is on record when its file is checked, so loans that follow a repayment come in a later file than that
repayment.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from karez.kernel.messages import Text, say
from karez.kernel.sheets import (
    Applying,
    ByOne,
    Check,
    Choice,
    Column,
    Instead,
    Kind,
    Reference,
    Sameness,
    Sheet,
    Total,
)
from karez.mutual_funds import choices, columns, loading, record_rules, rules, sameness, sheet_checks, withdrawing
from karez.records.rules import by_one


def _sheet(
    name: str,
    label: Text,
    about: Text,
    cols: tuple[Column, ...],
    apply: Callable[[Applying], Mapping[str, int]],
    checks: tuple[Check, ...],
    totals: tuple[Total, ...],
    key: tuple[str, ...],
    built_on: tuple[Check, ...] = (),
    same: Sameness | None = None,
    references: tuple[Reference, ...] = (),
    choose: tuple[Choice, ...] = (),
    alone: ByOne | None = None,
    instead: Instead | None = None,
) -> Sheet:
    return Sheet(
        name=name,
        label=label,
        about=about,
        columns=cols,
        apply=apply,
        references=references,
        checks=checks,
        totals=totals,
        key=key,
        send_permission="mutual_funds.prepare",
        apply_permission=rules.APPROVES.get(name.removesuffix("s"), rules.APPROVE),
        area_column="village",
        built_on=built_on,
        same=same,
        day_column=next((c.name for c in cols if c.kind is Kind.DATE), ""),
        withdraw=withdrawing.withdraw[name],
        choices=choose,
        by_one=alone,
        instead=instead,
    )


def _sum(label: Text, expression: str, unit: str = "fen") -> Total:
    return Total(label=label, sql=f"SELECT coalesce(sum({expression}), 0) FROM {{stage}} r", unit=unit)


_VOUCHER = (
    "ledger:voucher",
    "SELECT t.voucher_id FROM mutual_funds_rows r JOIN ledger_transfer t ON t.id = r.transfer_id",
)
_RECEIVED = ByOne(_VOUCHER, takes="SELECT mutual_funds_take(array_agg(society_id)) FROM {stage}")
_ROWS = Total(label=say("rows"), sql="SELECT count(*) FROM {stage}")

SHEETS: tuple[Sheet, ...] = (
    _sheet(
        "societies",
        say("Village mutual-fund societies"),
        say("One row for each society with the rules it was founded with."),
        columns.SOCIETIES,
        loading.apply_societies,
        sheet_checks.SOCIETY_CHECKS,
        (_ROWS,),
        ("village",),
        withdrawing.SOCIETY_BUILT_ON,
    ),
    _sheet(
        "society_openings",
        say("Opening balances of societies"),
        say("What each older society had on the region's first day: four pots, and where the money lay."),
        columns.SOCIETY_OPENINGS,
        loading.apply_openings,
        sheet_checks.OPENING_CHECKS,
        (
            _sum(say("grant pots"), 'r."grant"'),
            _sum(say("contributions"), "r.contributions"),
            _sum(say("loans outstanding"), "r.loans"),
        ),
        ("village",),
        withdrawing.OPENING_BUILT_ON,
        references=(sheet_checks.OPENING_SOCIETY,),
    ),
    _sheet(
        "grants",
        say("Grants to societies"),
        say("Public money given to a society, by source line."),
        columns.GRANTS,
        loading.apply_grants,
        sheet_checks.GRANT_CHECKS,
        (_sum(say("granted"), "r.amount"),),
        (),
        same=sameness.GRANT,
        references=(sheet_checks.society("granted_on"), sheet_checks.LINE),
        choose=(choices.LINE,),
    ),
    _sheet(
        "fund_members",
        say("Members of societies"),
        say("One row for each member household."),
        columns.FUND_MEMBERS,
        loading.apply_members,
        sheet_checks.MEMBER_CHECKS,
        (_ROWS,),
        ("village", "household_no"),
        withdrawing.MEMBER_BUILT_ON,
        references=(sheet_checks.society("joined_on"),),
        choose=(choices.HOUSEHOLD,),
        # No money moves, and what it pays in at once is taken in by one person too; a new household needs two.
        alone=ByOne(
            ("mutual_funds:society", "SELECT society_id FROM {stage}"), "SELECT kind = 'registered' FROM {stage}"
        ),
    ),
    _sheet(
        "contributions",
        say("Members' contributions"),
        say("Own money paid in, base shares counted from the grant, and refunds of own money."),
        columns.CONTRIBUTIONS,
        loading.apply_contributions,
        sheet_checks.CONTRIBUTION_CHECKS,
        (
            _sum(say("paid in"), "CASE r.kind WHEN 'own' THEN r.amount END"),
            _sum(say("refunded"), "CASE r.kind WHEN 'refund' THEN r.amount END"),
        ),
        (),
        same=sameness.CONTRIBUTION,
        references=(sheet_checks.society("paid_on"), sheet_checks.member("paid_on")),
        choose=(choices.MEMBER,),
        alone=replace(by_one(record_rules.CONTRIBUTIONS, sheet_checks.CONTRIBUTED), leads_to=_VOUCHER),
    ),
    _sheet(
        "loans",
        say("Loans"),
        say("Money lent to members. The schedule follows from the society's rules."),
        columns.LOANS,
        loading.apply_loans,
        sheet_checks.LOAN_CHECKS,
        (_sum(say("lent"), "r.principal"),),
        ("village", "loan_no"),
        withdrawing.LOAN_BUILT_ON,
        references=(sheet_checks.society("lent_on"), sheet_checks.member("lent_on")),
        choose=(choices.MEMBER,),
    ),
    _sheet(
        "repayments",
        say("Repayments"),
        say("What borrowers paid back, divided into principal and fee."),
        columns.REPAYMENTS,
        loading.apply_repayments,
        sheet_checks.REPAYMENT_CHECKS,
        (_sum(say("principal"), "r.principal"), _sum(say("fees"), "r.fee")),
        (),
        same=sameness.REPAYMENT,
        references=(sheet_checks.society("paid_on"), sheet_checks.loan("paid_on")),
        choose=(choices.LOAN,),
        alone=replace(
            by_one(record_rules.REPAYMENTS, sheet_checks.REPAID),
            leads_to=(
                _VOUCHER[0],
                _VOUCHER[1].replace("r.transfer_id", "coalesce(r.principal_transfer_id, r.fee_transfer_id)"),
            ),
        ),
        instead=Instead(columns.REPAID, ("principal", "fee"), record_rules.DIVIDED),
    ),
    _sheet(
        "gifts",
        say("Gifts to societies"),
        say("Money given to a society without conditions."),
        columns.GIFTS,
        loading.apply_gifts,
        (),
        (_sum(say("given"), "r.amount"),),
        (),
        same=sameness.GIFT,
        references=(sheet_checks.society("given_on"),),
        alone=_RECEIVED,
    ),
    _sheet(
        "loan_extensions",
        say("Extensions of loans"),
        say("Last days of loans put off. What was late by the first schedule stays late in the on-time rate."),
        columns.EXTENSIONS,
        loading.apply_extensions,
        sheet_checks.EXTENSION_CHECKS,
        (_ROWS,),
        ("village", "loan_no", "decided_on"),
        references=(sheet_checks.society("decided_on"), sheet_checks.loan("decided_on")),
        choose=(choices.LOAN,),
        alone=replace(
            by_one(record_rules.EXTENSIONS, sheet_checks.EXTENDED),
            leads_to=("mutual_funds:loan", "SELECT loan_id FROM {stage}"),
        ),
    ),
)
