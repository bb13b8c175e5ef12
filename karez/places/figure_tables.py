"""What closing freezes of places beside the edition itself: each area of the year with the lists it stands on. Holds no
counts.
"""

from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import counted_on
from karez.kernel.fields import frozen
from karez.kernel.figure_tables import FigureColumn, FigureTable
from karez.places.models import AreaSpell

_DAY = "%(as_of)s"


def _on_list(names: str) -> str:
    return (
        "EXISTS (SELECT FROM places_designation d WHERE d.area_id = t.area_id"
        f" AND d.list IN ({names}) AND {counted_on(_DAY, event=False, alias='d')})"
    )


AREAS = FigureTable(
    name="places_areas",
    grain=_("one row per area of the edition of 31 December"),
    label=_("places of the year's edition"),
    columns=(
        frozen(AreaSpell, "code"),
        FigureColumn(
            "key_county", "boolean", _("on the national list of key counties"), label=_("in a national key county")
        ),
        FigureColumn(
            "regional_key_county",
            "boolean",
            _("on the region's own list of key counties"),
            label=_("in a key county of the region"),
        ),
        FigureColumn("poor_village", "boolean", _("designated poor village"), label=_("poor village")),
        FigureColumn(
            "three_ensures", "boolean", _("three-ensures village, of any class"), label=_("three-ensures village")
        ),
    ),
    sql=f"""
SELECT t.area_id, t.code, {_on_list("'national_key_county'")} AS key_county,
       {_on_list("'regional_key_county'")} AS regional_key_county, {_on_list("'poor_village'")} AS poor_village,
       {_on_list("'three_ensures_1', 'three_ensures_2', 'three_ensures_3'")} AS three_ensures
  FROM places_tree_on({_DAY}, true) t""",
    order_by="code",
)

FIGURE_TABLES = (AREAS,)
