"""What closing freezes of places beside the edition itself: each area of the year with the lists it stands on. Holds no
counts.
"""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import FigureColumn, FigureTable

_DAY = "%(as_of)s"


def _on_list(names: str) -> str:
    return (
        "EXISTS (SELECT FROM places_designation d WHERE d.area_id = t.area_id"
        f" AND d.list IN ({names}) AND {counted_on(_DAY, event=False, alias='d')})"
    )


AREAS = FigureTable(
    name="places_areas",
    grain="one row per area of the edition of 31 December",
    columns=(
        FigureColumn("code", "text", "administrative code on that day"),
        FigureColumn("key_county", "boolean", "on the national list of key counties"),
        FigureColumn("regional_key_county", "boolean", "on the region's own list of key counties"),
        FigureColumn("poor_village", "boolean", "designated poor village"),
        FigureColumn("three_ensures", "boolean", "three-ensures village, of any class"),
    ),
    sql=f"""
SELECT t.area_id, t.code, {_on_list("'national_key_county'")} AS key_county,
       {_on_list("'regional_key_county'")} AS regional_key_county, {_on_list("'poor_village'")} AS poor_village,
       {_on_list("'three_ensures_1', 'three_ensures_2', 'three_ensures_3'")} AS three_ensures
  FROM places_tree_on({_DAY}, true) t""",
    order_by="code",
)

FIGURE_TABLES = (AREAS,)
