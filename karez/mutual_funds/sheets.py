"""The files of village mutual funds that may be loaded. Holds their declarations; columns, checks and writing are
beside it.

Order of loading: societies, openings of older ones, members, contributions and grants, loans, repayments. A loan is
judged by what is on record when its file is checked, so loans that follow a repayment come in a later file than that
repayment.
"""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext_lazy as _

from karez.kernel.messages import Text, say
from karez.kernel.sheets import Applying, Check, Column, Kind, Reference, Sameness, Sheet, Total
from karez.mutual_funds import columns, loading, rules, sameness, sheet_checks, withdrawing


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
    )


def _sum(label: Text, expression: str, unit: str = "fen") -> Total:
    return Total(label=label, sql=f"SELECT coalesce(sum({expression}), 0) FROM {{stage}} r", unit=unit)


_ROWS = Total(label=say("rows"), sql="SELECT count(*) FROM {stage}")

SHEETS: tuple[Sheet, ...] = (
    _sheet(
        "societies",
        _("Village mutual-fund societies"),
        _("One row for each society with the rules it was founded with."),
        columns.SOCIETIES,
        loading.apply_societies,
        sheet_checks.SOCIETY_CHECKS,
        (_ROWS,),
        ("village",),
        withdrawing.SOCIETY_BUILT_ON,
    ),
    _sheet(
        "society_openings",
        _("Opening balances of societies"),
        _("What each older society had on the region's first day: four pots, and where the money lay."),
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
        _("Grants to societies"),
        _("Public money given to a society, by source line."),
        columns.GRANTS,
        loading.apply_grants,
        sheet_checks.GRANT_CHECKS,
        (_sum(say("granted"), "r.amount"),),
        (),
        same=sameness.GRANT,
        references=(sheet_checks.society("granted_on"), sheet_checks.LINE),
    ),
    _sheet(
        "fund_members",
        _("Members of societies"),
        _("One row for each member household."),
        columns.FUND_MEMBERS,
        loading.apply_members,
        sheet_checks.MEMBER_CHECKS,
        (_ROWS,),
        ("village", "household_no"),
        withdrawing.MEMBER_BUILT_ON,
        references=(sheet_checks.society("joined_on"),),
    ),
    _sheet(
        "contributions",
        _("Members' contributions"),
        _("Own money paid in, base shares counted from the grant, and refunds of own money."),
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
    ),
    _sheet(
        "loans",
        _("Loans"),
        _("Money lent to members. The schedule follows from the society's rules."),
        columns.LOANS,
        loading.apply_loans,
        sheet_checks.LOAN_CHECKS,
        (_sum(say("lent"), "r.principal"),),
        ("village", "loan_no"),
        withdrawing.LOAN_BUILT_ON,
        references=(sheet_checks.society("lent_on"), sheet_checks.member("lent_on")),
    ),
    _sheet(
        "repayments",
        _("Repayments"),
        _("What borrowers paid back, divided into principal and fee."),
        columns.REPAYMENTS,
        loading.apply_repayments,
        sheet_checks.REPAYMENT_CHECKS,
        (_sum(say("principal"), "r.principal"), _sum(say("fees"), "r.fee")),
        (),
        same=sameness.REPAYMENT,
        references=(sheet_checks.society("paid_on"), sheet_checks.LOAN),
    ),
)
