"""The lists of the register: households and persons of any place, as known now, without names. Holds no other SQL.

Nothing here says who somebody is: names are opened one household at a time, with a purpose. The list of persons gives
no file.
"""

from django.utils.translation import gettext_lazy as _

from karez.kernel.lists import Link, RecordList, Search, Sort, shown, worked_out
from karez.kernel.sheets import Kind
from karez.register.models import Assessment, CaseStatus, Household, Membership, Person

VIEW = "register.view"
_TODAY = "%(day)s::date"
_NOW = "{0}.voided_at IS NULL AND {0}.starts_on <= " + _TODAY + " AND ({0}.ends_before IS NULL OR {0}.ends_before > " + _TODAY + ")"  # fmt: skip
_NUMBERED = (
    "{household} IN (SELECT x.id FROM register_household x WHERE x.voided_at IS NULL"
    " AND intake_number_key(x.household_no) = intake_number_key(%(words)s))"
)

# A household is exited where it had a case and has none.
_STATUS = f"""coalesce(
  (SELECT c.stage FROM register_casespell c WHERE c.household_id = t.id AND {_NOW.format("c")} LIMIT 1),
  (SELECT 'exited' FROM register_exit e WHERE e.household_id = t.id AND e.voided_at IS NULL LIMIT 1), '')"""
_ASSESSED = (
    "(SELECT a.{column} FROM register_assessment a WHERE a.household_id = t.id AND a.voided_at IS NULL"
    " ORDER BY a.year DESC LIMIT 1)"
)

HOUSEHOLDS = RecordList(
    name="register.households",
    label=_("households"),
    about=_("By village and number. Names are opened on the page of one household, with a purpose."),
    model=Household,
    place="t.village_id",
    view=VIEW,
    columns=(
        shown(Household, "household_no", link=Link("register:household", "id")),
        worked_out("village", "t.village_id", _("village"), Kind.AREA),
        shown(Household, "kind", filtered=True),
        worked_out("case_status", _STATUS, _("case"), Kind.CODE, words=dict(CaseStatus.choices), filtered=True),
        worked_out(
            "members",
            f"(SELECT count(*) FROM register_membership m WHERE m.household_id = t.id AND {_NOW.format('m')})",
            _("members"),
            Kind.INTEGER,
        ),
        worked_out("income", _ASSESSED.format(column="income_per_head_fen"), _("income per head"), Kind.FEN),
        shown(Assessment, "year", sql=_ASSESSED.format(column="year"), name="assessed"),
        worked_out("dissolved_on", "t.ends_before", _("dissolved on"), Kind.DATE),
    ),
    sorts=(Sort("household_no", ("village", "household_no"), "register_household_no_once"),),
    search=Search(_("number of the household"), _NUMBERED.format(household="t.id")),
    reads="household_list",
    empty=_("No household of your areas is on record. They come in as a register file."),
)

PERSONS = RecordList(
    name="register.persons",
    label=_("persons"),
    about=_("Members of households now. Names are opened on the page of one household, with a purpose."),
    model=Membership,
    joins="JOIN register_household h ON h.id = t.household_id JOIN register_person p ON p.id = t.person_id",
    place="h.village_id",
    view=VIEW,
    where=_NOW.format("t"),
    columns=(
        shown(Household, "household_no", sql="h.household_no", link=Link("register:household", "household_id")),
        worked_out("village", "h.village_id", _("village"), Kind.AREA),
        shown(Membership, "relation", filtered=True, link=Link("register:person", "person_id")),
        shown(Person, "sex", sql="p.sex", filtered=True),
        shown(Person, "birth_month", sql="p.birth_month", filtered=True),
        shown(Membership, "starts_on", name="since", filtered=True),
    ),
    also={"household_id": "t.household_id", "person_id": "t.person_id"},
    sorts=(Sort("since", ("since",), "register_membership_by_since", descending=True),),
    search=Search(_("number of the household"), _NUMBERED.format(household="t.household_id")),
    reads="person_list",
    in_file=False,
    empty=_("No person of your areas is on record. They come in as a register file."),
)

LISTS = (HOUSEHOLDS, PERSONS)
