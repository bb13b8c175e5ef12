"""What closing freezes of the returns: approved values of the year and of the year before. Holds no sums."""

from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import counted_on
from karez.kernel.fields import frozen
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.returns.models import Return

_DAY = "%(as_of)s"

VALUES = FigureTable(
    name="returns_values",
    grain=_("one row per measure, place and year of the value: the year closed and the year before"),
    label=_("values of approved returns"),
    columns=(
        FigureColumn("measure", "text", _("what was counted"), label=_("measure")),
        FigureColumn("value_year", "integer", _("year the value speaks of"), label=_("year of the value"), unit="year"),
        frozen(Return, "value"),
        frozen(Return, "numerator"),
        frozen(Return, "denominator"),
        frozen(Return, "unit"),
        FigureColumn(
            "key_county",
            "boolean",
            _("the place is on the national list of key counties on 31 December of the year closed"),
            label=_("in a national key county"),
        ),
        frozen(Return, "document"),
        FigureColumn("return_id", "bigint", _("number of the return"), label=_("return")),
    ),
    sql=f"""
SELECT r.area_id, r.measure_id AS measure, r.year AS value_year, r.value, r.numerator, r.denominator, r.unit,
       EXISTS (SELECT FROM places_designation d WHERE d.area_id = r.area_id AND d.list = 'national_key_county'
                  AND {counted_on(_DAY, event=False, alias="d")}) AS key_county,
       r.document, r.id AS return_id
  FROM returns_return r
 WHERE r.year BETWEEN %(year)s - 1 AND %(year)s AND {counted_on(_DAY, event=True, alias="r")}
   AND EXISTS (SELECT FROM returns_approval a WHERE a.of_id = r.id AND {counted_on(_DAY, event=True, alias="a")})""",
    order_by="return_id",
    reaches="county",
)

FIGURE_TABLES = (VALUES,)
