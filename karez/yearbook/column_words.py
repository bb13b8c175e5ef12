"""The columns and tables of a snapshot in words, for headings of rows and for the catalogue. Holds no figures.

A column without words here is told by what its declaration says it means; amounts are frozen in fen and shown in yuan.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from karez.closing.declared import figure_tables
from karez.closing.export import all_columns
from karez.funds.models import FunderKind
from karez.funds.models import SizeClass as FundedSize
from karez.funds.words import PROGRAMMES
from karez.mutual_funds.models import SizeClass
from karez.register.models import HouseholdKind, Stage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

COLUMNS: "Mapping[str, _StrPromise]" = {
    "amount_fen": _lazy("amount"),
    "assessed_size": _lazy("persons the income was divided by"),
    "birth_year": _lazy("year of birth"),
    "case_status": _lazy("case"),
    "code": _lazy("code"),
    "collected_fen": _lazy("paid by now"),
    "collected_on_time_fen": _lazy("paid by the day it fell due"),
    "contributions_fen": _lazy("members' money"),
    "counts_on": _lazy("counts from"),
    "counts_year": _lazy("counts in the year"),
    "county_transfer_id": _lazy("transfer of the county"),
    "days_late": _lazy("days late"),
    "denominator": _lazy("divided by"),
    "document": _lazy("document"),
    "document_no": _lazy("document number"),
    "due_fen": _lazy("due"),
    "due_on": _lazy("due on"),
    "due_year": _lazy("due in the year"),
    "fee_fen": _lazy("fee due"),
    "founded_on": _lazy("founded on"),
    "founded_year": _lazy("founded in"),
    "from_on": _lazy("in force from"),
    "from_year": _lazy("first year"),
    "funder_code": _lazy("funder"),
    "funder_name": _lazy("name of the funder"),
    "funder_name_zh": _lazy("name of the funder, in Chinese"),
    "line_name": _lazy("name of the source line"),
    "funder_kind": _lazy("kind of funder"),
    "gifts_fen": _lazy("gifts"),
    "grant_fen": _lazy("public money"),
    "granted_on": _lazy("granted on"),
    "happened_on": _lazy("day"),
    "high_fen": _lazy("highest grant"),
    "household_key": _lazy("household"),
    "household_kind": _lazy("kind of household"),
    "income_fen": _lazy("net income of the year"),
    "income_per_head_fen": _lazy("net income per head"),
    "issued_on": _lazy("lent on"),
    "joined_on": _lazy("joined on"),
    "key": _lazy("key"),
    "key_county": _lazy("in a national key county"),
    "kind": _lazy("kind"),
    "line": _lazy("poverty line"),
    "line_code": _lazy("source line"),
    "line_year": _lazy("budget year"),
    "loan_id": _lazy("loan"),
    "low_fen": _lazy("lowest grant"),
    "measure": _lazy("measure"),
    "members": _lazy("member households"),
    "min_members": _lazy("fewest members by its rules"),
    "number": _lazy("number"),
    "numerator": _lazy("what is divided"),
    "opening": _lazy("older than the first day"),
    "outstanding_fen": _lazy("still owed"),
    "planned": _lazy("number planned"),
    "poor_village": _lazy("poor village"),
    "principal_fen": _lazy("principal"),
    "programme": _lazy("programme"),
    "purpose": _lazy("purpose"),
    "reference": _lazy("reference"),
    "regional_key_county": _lazy("in a key county of the region"),
    "relation": _lazy("relation to the head"),
    "repaid_fee_fen": _lazy("fees paid"),
    "repaid_principal_fen": _lazy("principal repaid"),
    "rescheduled": _lazy("extended"),
    "return_id": _lazy("return"),
    "sex": _lazy("sex"),
    "size": _lazy("members of the household"),
    "size_class": _lazy("class of village"),
    "society_id": _lazy("society"),
    "source_line": _lazy("source line"),
    "surplus_fen": _lazy("fees received"),
    "term_days": _lazy("term in days"),
    "three_ensures": _lazy("three-ensures village"),
    "transfer_id": _lazy("transfer"),
    "unit": _lazy("unit"),
    "until_on": _lazy("in force before"),
    "until_year": _lazy("last year"),
    "value": _lazy("value"),
    "value_year": _lazy("year of the value"),
    "voucher_id": _lazy("voucher"),
    "written_off_fen": _lazy("written off"),
    "years": _lazy("years of the plan"),
    "years_left": _lazy("years left"),
    "area_id": _lazy("place"),
    "area_level": _lazy("level of the place"),
    "region_id": _lazy("region"),
    "prefecture_id": _lazy("prefecture"),
    "county_id": _lazy("county"),
    "township_id": _lazy("township"),
    "village_id": _lazy("village"),
}
TABLES: "Mapping[str, _StrPromise]" = {
    "funds_money": _lazy("appropriations received and allocations to counties"),
    "funds_rules": _lazy("grant standards and plan targets"),
    "mutual_funds_capital": _lazy("transfers into and out of the pots of societies at work"),
    "mutual_funds_opening": _lazy(
        "opening balances of the pots, of all societies that stood on the region's first day"
    ),
    "mutual_funds_dues": _lazy("instalments fallen due, by their first schedule"),
    "mutual_funds_grants": _lazy("grants to societies"),
    "mutual_funds_loans": _lazy("loans of the societies"),
    "mutual_funds_members": _lazy("member households of the societies"),
    "mutual_funds_societies": _lazy("societies at work on 31 December"),
    "places_areas": _lazy("places of the year's edition"),
    "register_households": _lazy("households on 31 December"),
    "register_persons": _lazy("members of households on 31 December"),
    "returns_values": _lazy("values of approved returns"),
}


# What a coded value says, by column; files keep the code.
VALUES: "Mapping[str, Mapping[str, str | _StrPromise]]" = {
    "kind": {
        "appropriation": _lazy("appropriation"), "allocation": _lazy("allocation"), "standard": _lazy("grant standard"),
        "target": _lazy("plan target"),
    },
    "programme": PROGRAMMES,
    "funder_kind": {one.value: one.label for one in FunderKind},
    "household_kind": {one.value: one.label for one in HouseholdKind},
    "case_status": {"exited": _lazy("exited"), **{one.value: one.label for one in Stage}},
    "size_class": {**{one.value: one.label for one in FundedSize}, **{one.value: one.label for one in SizeClass}},
}  # fmt: skip


def value_words(column: str, value: Any) -> Any:
    """A coded value in words: small village; any other value, and a code without words, as it stands."""
    words = VALUES.get(column, {}).get(value) if isinstance(value, str) else None
    return value if words is None else str(words)


def table_words(table: str) -> str:
    """The rows of a figure table: societies at work on 31 December."""
    return str(
        TABLES.get(table) or next((t.grain for t in figure_tables() if t.name == table), table.replace("_", " "))
    )


def column_name(table: str, column: str) -> str:
    """A column in words: amount."""
    return str(COLUMNS.get(column) or meaning(table, column) or column.replace("_", " "))


def column_words(table: str, column: str) -> str:
    """A column's heading with the unit its values are shown in: amount, yuan."""
    found = column_name(table, column)
    return _("%(column)s, yuan") % {"column": found} if column.endswith("_fen") else found


def meaning(table: str, column: str) -> str:
    """What the declaration says of a column; empty where the table no longer has it."""
    return next((c.meaning for t in figure_tables() if t.name == table for c in all_columns(t) if c.name == column), "")
