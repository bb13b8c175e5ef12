"""The files of funds that may be loaded: source lines, appropriations, allocations, grant standards, plan targets.

Holds no reading of files. Money is posted in bulk by the ledger: the sender of a batch counts as the preparer of its
vouchers, who applies it as their approver.
"""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from karez.funds import loading
from karez.funds.models import Allocation, Appropriation, Funder, GrantStandard, PlanTarget, SourceLine
from karez.kernel.fields import column_of
from karez.kernel.messages import say
from karez.kernel.overlaps import shared_days
from karez.kernel.sheets import Check, Column, Kind, Sheet, Total

# A standard for any size stands for each of them.
_EACH_SIZE, _SIZE = (
    "generate_series(lower(funds_sizes({0}.size_class)), upper(funds_sizes({0}.size_class)) - 1) AS size",
    "' ' || size",
)

_LINE_KNOWN = Check(
    rule="funds_line_known",
    column="line_code",
    expected=say("the code of a source line already recorded"),
    sql="""SELECT s.row_no, s.line_code FROM {stage} s
        WHERE NOT EXISTS (SELECT 1 FROM funds_sourceline l WHERE l.code = s.line_code AND l.voided_at IS NULL)""",
    todo=say("load the source line first, or correct the code"),
)
_DAYS_IN_ORDER = Check(
    rule="funds_days_in_order",
    column="valid_to",
    expected=say("a day after the first day"),
    sql="SELECT s.row_no, s.valid_to::text FROM {stage} s WHERE s.valid_to <= s.valid_from",
)


def _reference_free(table: str) -> Check:
    return Check(
        rule="funds_reference_free",
        column="reference",
        expected=say("a reference not recorded before"),
        sql=f"""SELECT s.row_no, s.reference FROM {{stage}} s
            JOIN {table} k ON intake_number_key(k.reference) = intake_number_key(s.reference) AND k.voided_at IS NULL""",
        todo=say("leave the row out if it is the same payment; else give it its own reference"),
    )


def _of(model: type[Model], *fields: str) -> tuple[Column, ...]:
    return tuple(column_of(model, field) for field in fields)


def _payment(model: type[Model]) -> tuple[Column, ...]:
    reference, *others = _of(model, "reference", "happened_on", "amount_fen", "document_no")
    return (reference, column_of(SourceLine, "code", meaning=_("code of the source line")), *others)


_IN_FORCE = ("starts_on", "ends_before")
_AMOUNT = (Total(say("Amount"), "SELECT coalesce(sum(amount), 0) FROM {stage} s", say("fen")),)

SOURCE_LINES = Sheet(
    name="source_lines",
    label=_("Source lines"),
    about=_("The lines money comes in on: whose it is, for which programme, of which budget year, by which document."),
    columns=(
        *_of(SourceLine, "code", "name"),
        *_of(Funder, "code", "name_en", "name_zh", "kind"),
        *_of(SourceLine, "programme", "year", "document_no"),
    ),
    apply=loading.apply_source_lines,
    withdraw=loading.withdraw_source_lines,
    send_permission="funds.prepare",
    apply_permission="funds.approve",
    key=("line_code",),
    checks=(
        Check(
            rule="funds_line_new",
            column="line_code",
            expected=say("a code no source line has yet"),
            sql="""SELECT s.row_no, s.line_code FROM {stage} s
                JOIN funds_sourceline l ON l.code = s.line_code AND l.voided_at IS NULL""",
            todo=say("leave the row out, or give the line another code"),
        ),
        Check(
            rule="funds_funder_one_name",
            column="funder_name",
            expected=say("one name and one kind for one funder, the same as recorded before"),
            sql="""SELECT s.row_no, s.funder_name FROM {stage} s
                JOIN funds_funder f ON f.code = s.funder_code AND f.voided_at IS NULL
                WHERE (f.name_en, f.kind) <> (s.funder_name, s.funder_kind)
                UNION SELECT s.row_no, s.funder_name FROM {stage} s JOIN (SELECT funder_code FROM {stage} GROUP BY 1
                  HAVING min(funder_name) <> max(funder_name) OR min(funder_kind) <> max(funder_kind)) o
                      USING (funder_code)""",
        ),
        Check(
            rule="funds_line_one_purpose",
            column="document_no",
            expected=say("one line for one funder, programme, year and document"),
            sql="""SELECT row_no, document_no FROM (SELECT row_no, document_no, count(*) OVER (
                    PARTITION BY funder_code, programme, year, document_no) AS n FROM {stage}
                        WHERE document_no IS NOT NULL) t WHERE n > 1
                UNION SELECT s.row_no, s.document_no FROM {stage} s
                JOIN funds_funder f ON f.code = s.funder_code
                JOIN funds_sourceline l ON l.funder_id = f.id AND l.voided_at IS NULL
                 AND (l.programme, l.year, l.document_no) = (s.programme, s.year, s.document_no)""",
        ),
    ),
    totals=(Total(say("Source lines"), "SELECT count(*) FROM {stage} s"),),
    built_on=(
        Check(
            rule="funds_line_unused",
            column="line_code",
            expected=say("no money on the line"),
            sql="""SELECT s.row_no, s.line_code FROM {stage} s
                JOIN funds_sourceline l ON l.code = s.line_code AND l.batch_id = %(batch_id)s
                JOIN funds_appropriation a ON a.line_id = l.id AND a.voided_at IS NULL""",
        ),
    ),
)

APPROPRIATIONS = Sheet(
    name="appropriations",
    label=_("Appropriations"),
    about=_("Money received by the office: on which source line, when, how much."),
    columns=_payment(Appropriation),
    apply=loading.apply_appropriations,
    withdraw=loading.withdraw_appropriations,
    day_column="happened_on",
    send_permission="funds.prepare",
    apply_permission="funds.approve",
    key=("reference",),
    checks=(_LINE_KNOWN, _reference_free("funds_appropriation")),
    totals=_AMOUNT,
)

ALLOCATIONS = Sheet(
    name="allocations",
    label=_("Allocations to counties"),
    about=_("Money of a source line passed from the office to counties."),
    columns=(
        *_payment(Allocation),
        Column("county", say("county that receives it"), Kind.AREA, headers=("县代码", "县区代码"), levels=("county",)),
    ),
    apply=loading.apply_allocations,
    withdraw=loading.withdraw_allocations,
    day_column="happened_on",
    send_permission="funds.prepare",
    apply_permission="funds.approve",
    key=("reference",),
    area_day="happened_on",
    checks=(
        _LINE_KNOWN,
        _reference_free("funds_allocation"),
        Check(
            rule="funds_within_appropriation",
            column="amount",
            expected=say("not more than what lies on the line at the office"),
            sql="""SELECT s.row_no, s.amount::text FROM (
                SELECT row_no, line_code, amount, sum(amount) OVER (PARTITION BY line_code ORDER BY row_no) AS fen
                    FROM {stage}) s
                JOIN funds_sourceline l ON l.code = s.line_code AND l.voided_at IS NULL
                LEFT JOIN funds_line_account a ON a.line_id = l.id AND a.book_kind = 'office'
                WHERE s.fen > coalesce(a.available_fen, 0)""",
            todo=say("load the appropriation first, or lower the amounts"),
        ),
    ),
    totals=_AMOUNT,
)

GRANT_STANDARDS = Sheet(
    name="grant_standards",
    label=_("Grant standards"),
    about=_("What one village may be granted under a programme, by size of village, from a day on."),
    columns=_of(GrantStandard, "programme", "size_class", "low_fen", "high_fen", *_IN_FORCE, "document_no"),
    apply=loading.apply_grant_standards,
    withdraw=loading.withdraw_grant_standards,
    day_column="valid_from",
    send_permission="funds.prepare",
    apply_permission="funds.approve",
    key=("programme", "size_class", "valid_from"),
    checks=(
        _DAYS_IN_ORDER,
        Check(
            rule="funds_low_to_high",
            column="high",
            expected=say("not less than the lowest grant"),
            sql="SELECT s.row_no, s.high::text FROM {stage} s WHERE s.high < s.low",
        ),
        Check(
            rule="funds_one_standard",
            column="valid_from",
            expected=say("one standard for a size of village at a time"),
            sql=shared_days(
                (
                    f"SELECT s.row_no, s.valid_from::text, s.programme || {_SIZE}, s.valid_from, s.valid_to FROM "
                    f"{{stage}} s, {_EACH_SIZE.format('s')}"
                ),
                (
                    f"SELECT k.programme || {_SIZE}, k.starts_on, k.ends_before FROM funds_grantstandard k, "
                    f"{_EACH_SIZE.format('k')} WHERE k.voided_at IS NULL"
                ),
            ),
            todo=say("end the earlier standard first, or correct the days"),
        ),
    ),
)

PLAN_TARGETS = Sheet(
    name="plan_targets",
    label=_("Plan targets"),
    about=_("Numbers that adopted plans want reached, and the years they give themselves."),
    columns=_of(PlanTarget, "code", "label", "planned", "unit", "from_year", "until_year", *_IN_FORCE, "document_no"),
    apply=loading.apply_plan_targets,
    withdraw=loading.withdraw_plan_targets,
    day_column="valid_from",
    send_permission="funds.prepare",
    apply_permission="funds.approve",
    key=("code", "valid_from"),
    checks=(
        _DAYS_IN_ORDER,
        Check(
            rule="funds_years_in_order",
            column="until_year",
            expected=say("not before the first year"),
            sql="SELECT s.row_no, s.until_year::text FROM {stage} s WHERE s.until_year < s.from_year",
        ),
        Check(
            rule="funds_one_target",
            column="code",
            expected=say("one target of this code adopted at a time"),
            sql=shared_days(
                "SELECT s.row_no, s.code, s.code, s.valid_from, s.valid_to FROM {stage} s",
                "SELECT k.code, k.starts_on, k.ends_before FROM funds_plantarget k WHERE k.voided_at IS NULL",
            ),
            todo=say("end the earlier target first"),
        ),
    ),
)

SHEETS = (SOURCE_LINES, APPROPRIATIONS, ALLOCATIONS, GRANT_STANDARDS, PLAN_TARGETS)
