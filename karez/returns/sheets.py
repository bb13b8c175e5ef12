"""The file of returns: one row per measure, place and year. Applying it approves its rows. Holds no measures: those are
data.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from karez.kernel.fields import column_of
from karez.kernel.messages import say
from karez.kernel.sheets import Applying, Check, Column, Kind, Sheet, Total
from karez.returns.models import Return

# Measures are data (see `returns.sql`); what a file may name beside the code is a convenience of the file.
MEASURES = {
    "land_area": "land_area", "土地面积": "land_area",
    "population": "population", "年末总人口": "population",
    "rural_net_income": "rural_net_income", "农民人均纯收入": "rural_net_income",
    "mutual_fund_repayment_rate": "mutual_fund_repayment_rate", "互助资金还款率": "mutual_fund_repayment_rate",
}  # fmt: skip

_RETURNS = """
INSERT INTO returns_return (measure_id, area_id, year, value, unit, numerator, denominator, document, happened_on,
    counts_on,
                            recorded_by_id, batch_id, replaces_id)
SELECT s.measure, s.area_id, s.year, s.value, s.unit, s.numerator, s.denominator, s.document, make_date(s.year, 12, 31),
       GREATEST(make_date(s.year, 12, 31), %(open)s), %(sender)s, %(batch)s,
       (SELECT max(o.id) FROM returns_return o WHERE (o.measure_id, o.area_id, o.year) = (s.measure, s.area_id, s.year)
           AND NOT EXISTS (SELECT FROM returns_return n WHERE n.replaces_id = o.id AND n.voided_at IS NULL))
  FROM {stage} s
"""

# The person who applies the batch has looked at its rows: that is their approval.
_APPROVALS = """
INSERT INTO returns_approval (of_id, submitted_by_id, happened_on, counts_on, recorded_by_id, batch_id)
SELECT id, recorded_by_id, happened_on, counts_on, %(approver)s, batch_id FROM returns_return WHERE batch_id = %(batch)s
"""

_VOID = """
UPDATE {table} SET voided_at = now(), void_reason = karez_say('batch withdrawn'), void_counts_on = GREATEST(counts_on, %(open)s),
       voided_by_id = {by}
 WHERE batch_id = %(batch)s AND voided_at IS NULL
"""

# Nobody opens their own return: where the sender carries the withdrawal out, the void mark names who asked for it.
_NOT_THE_SENDER = """CASE WHEN recorded_by_id <> %(approver)s THEN %(approver)s
                          ELSE (SELECT b.withdrawal_by_id FROM intake_batch b WHERE b.id = %(batch)s) END"""


def apply_returns(a: Applying) -> Mapping[str, int]:
    """Writes the returns of a staged file, approved by the person who applies it."""
    return {"returns": _run(a, _RETURNS.replace("{stage}", a.stage)), "approvals": _run(a, _APPROVALS)}


def withdraw_returns(a: Applying) -> Mapping[str, int]:
    """Voids the returns of a batch and their approvals."""
    approvals = _run(a, _VOID.replace("{table}", "returns_approval").replace("{by}", "%(approver)s"))
    returns = _run(a, _VOID.replace("{table}", "returns_return").replace("{by}", _NOT_THE_SENDER))
    return {"approvals": approvals, "returns": returns}


def _run(a: Applying, sql: str) -> int:
    values: dict[str, Any] = {
        "open": a.first_open_day,
        "sender": a.sender_id,
        "approver": a.approver_id,
        "batch": a.batch_id,
    }
    a.cursor.execute(sql, values)
    return int(a.cursor.rowcount)


RETURNS = Sheet(
    name="returns",
    label=_("Returns"),
    about=_(
        "Numbers that arrive already counted: one row per measure, place and year, with the document they are "
        "taken from."
    ),
    columns=(
        Column("measure", say("what was counted"), Kind.CODE, codes=MEASURES, headers=("指标",)),
        Column(
            "area",
            say("code of the region or county"),
            Kind.AREA,
            levels=("region", "county"),
            headers=("area code", "地区代码", "行政区划代码"),
        ),
        *(column_of(Return, field) for field in ("year", "value", "numerator", "denominator", "unit", "document")),
    ),
    key=("measure", "area", "year"),
    area_column="area",
    send_permission="returns.submit",
    apply_permission="returns.approve",
    apply=apply_returns,
    withdraw=withdraw_returns,
    totals=(
        Total(say("returns"), "SELECT count(*) FROM {stage}"),
        Total(say("places"), "SELECT count(DISTINCT area_id) FROM {stage}"),
        Total(
            say("residents, sum over counties"),
            "SELECT sum(s.value) FROM {stage} s WHERE s.measure = 'population'"
            " AND EXISTS (SELECT FROM places_tree t WHERE t.area_id = s.area_id AND t.level = 'county')",
        ),
    ),
    checks=(
        Check(
            "unit_of_measure",
            "unit",
            say("the unit of the measure"),
            "SELECT s.row_no, s.unit, karez_say('{1}: the unit of {2}', m.unit::text, m.label::text) FROM {stage} s JOIN returns_measure m "
            "ON m.code = s.measure"
            " WHERE s.unit <> m.unit",
            say("convert the number to the measure's unit"),
            tells_expected=True,
        ),
        Check(
            "quotient_brings_its_parts",
            "denominator",
            say("numerator and denominator for a quotient, and only there"),
            """SELECT s.row_no, COALESCE(s.numerator::text, 'none') || ' / ' || COALESCE(s.denominator::text, 'none')
                 FROM {stage} s JOIN returns_measure m ON m.code = s.measure
                WHERE m.is_quotient <> (s.numerator IS NOT NULL AND s.denominator > 0)
                   OR (s.numerator IS NULL) <> (s.denominator IS NULL)""",
            say("bring what was divided and what it was divided by, so that no average is taken of averages"),
        ),
        Check(
            "quotient_agrees",
            "value",
            say("numerator by denominator, within rounding"),
            """SELECT s.row_no, karez_say('{1} but {2}', s.value::text, round(m.scale * s.numerator / s.denominator, 4)::text)
                 FROM {stage} s JOIN returns_measure m ON m.code = s.measure
                WHERE m.is_quotient AND s.denominator > 0
                  AND abs(s.value * s.denominator - m.scale * s.numerator) > m.tolerance * s.denominator""",
        ),
        Check(
            "level_of_measure",
            "area",
            say("a place of a level this measure is returned at"),
            """SELECT s.row_no, s.area FROM {stage} s JOIN returns_measure m ON m.code = s.measure
                WHERE NOT EXISTS (SELECT FROM places_code c WHERE c.area_id = s.area_id
                   AND ((m.on_region AND c.level = 'region') OR (m.on_county AND c.level = 'county')))""",
        ),
        Check(
            "not_returned_yet",
            "measure",
            say("no return of this measure, place and year, unless it was sent back"),
            """SELECT s.row_no, karez_say('return {1} of {2}', r.id::text, r.value::text) FROM {stage} s JOIN returns_return r
                ON (r.measure_id, r.area_id, r.year) = (s.measure, s.area_id, s.year) AND r.voided_at IS NULL""",
            say("ask for the return to be sent back, then send the revision"),
        ),
        Check(
            "year_not_ahead",
            "year",
            say("a year not in the future"),
            "SELECT row_no, year::text FROM {stage} WHERE year > extract(year FROM %(today)s::date)",
        ),
    ),
)

SHEETS = (RETURNS,)
