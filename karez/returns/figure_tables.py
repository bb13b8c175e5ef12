"""What closing freezes of the returns: approved values of the year and of the year before. Holds no sums."""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable

_DAY = "%(as_of)s"

VALUES = FigureTable(
    name="returns_values",
    grain="one row per measure, place and year of the value: the year closed and the year before",
    columns=(
        FigureColumn("measure", "text", "what was counted"),
        FigureColumn("value_year", "integer", "year the value speaks of", unit="year"),
        FigureColumn("value", "numeric(24,4)", "the value, in the measure's unit"),
        FigureColumn("numerator", "numeric(24,4)", "of a quotient: what is divided"),
        FigureColumn("denominator", "numeric(24,4)", "of a quotient: what it is divided by"),
        FigureColumn("unit", "text", "unit of the value"),
        FigureColumn(
            "key_county",
            "boolean",
            "the place is on the national list of key counties on 31 December of the year closed",
        ),
        FigureColumn("document", "text", "document the value is taken from"),
        FigureColumn("return_id", "bigint", "number of the return"),
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
