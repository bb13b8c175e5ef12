"""What may be asked about households and persons: a household's page, a person's page. Writes nothing.

Permission is part of fetching: what the actor may not see is refused in the same words as what does not exist. These
are the live records, as known now. Nothing here unseals identity: see `identity`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from karez.access.models import User
from karez.kernel.messages import say
from karez.places.queries import may, require, visible_area_ids_sql
from karez.register import identity, rules
from karez.register.models import (
    Assessment,
    CaseSpell,
    Death,
    Erasure,
    ErasureRequest,
    Exit,
    Household,
    Identity,
    Membership,
    Person,
)

VIEW = "register.view"

# The random keys erased persons have today, of every record of theirs: frozen tables of before the erasure have others.
ERASED_KEYS = """SELECT p.key FROM register_erasure e JOIN register_erasurerequest q ON q.id = e.request_id
  CROSS JOIN LATERAL register_records_of(q.person_id) r (id) JOIN register_person p ON p.id = r.id"""


@dataclass(frozen=True)
class HouseholdPage:
    """A household as known now, with its whole history; members without identity."""

    household: Household
    case_status: str
    members: list[Membership]
    former_members: list[Membership]
    assessments: list[Assessment]
    case_spells: list[CaseSpell]
    exits: list[Exit]


@dataclass(frozen=True)
class PersonPage:
    """A person as known now: attributes, memberships, death; whether an identity is kept, not what it is."""

    person: Person
    village_id: int
    memberships: list[Membership]
    died_on: date | None
    death_id: int | None
    has_identity: bool
    erasure: Erasure | None

    @property
    def is_erased(self) -> bool:
        """Whether who it is was erased."""
        return self.erasure is not None


@dataclass(frozen=True)
class FactPage:
    """One fact to be corrected: its row, whose it is, and the page it is seen on."""

    row: Any
    village_id: int
    household: Household
    address: str


def household(actor: User, household_id: int) -> HouseholdPage:
    """A household's page."""
    found = Household.objects.filter(pk=household_id).first()
    if found is None or not may(actor, VIEW, found.village_id):
        raise rules.unknown(say("household"), household_id)
    memberships = list(
        Membership.objects.filter(household=found, voided_at=None)
        .select_related("person")
        .order_by("relation", "starts_on", "pk")
    )
    cases = list(CaseSpell.objects.filter(household=found, voided_at=None).order_by("starts_on", "pk"))
    exits = list(Exit.objects.filter(household=found, voided_at=None).order_by("happened_on", "pk"))
    return HouseholdPage(
        household=found,
        case_status=_status(cases, exits, date.today()),
        members=[m for m in memberships if m.ends_before is None],
        former_members=[m for m in memberships if m.ends_before is not None],
        assessments=list(Assessment.objects.filter(household=found, voided_at=None).order_by("-year")),
        case_spells=cases,
        exits=exits,
    )


def household_numbered(actor: User, village_id: int, household_no: str) -> Household:
    """The household of a number in a village, however the number is written."""
    require(actor, VIEW, village_id)
    found = Household.objects.numbered(village_id, household_no).first()
    if found is None:
        raise rules.unknown(say("household"), 0)
    return found


def person(actor: User, person_id: int) -> PersonPage:
    """A person's page, without identity; opening that is another act, with a purpose."""
    found = Person.objects.filter(pk=person_id).first()
    memberships = list(
        Membership.objects.filter(person_id=person_id, voided_at=None)
        .select_related("household")
        .order_by("-starts_on", "-pk")
    )
    if found is None or not memberships or not may(actor, VIEW, memberships[0].household.village_id):
        raise rules.unknown(say("person"), person_id)
    death = Death.objects.filter(person=found, voided_at=None).first()
    return PersonPage(
        person=found,
        village_id=memberships[0].household.village_id,
        memberships=memberships,
        died_on=death.happened_on if death else None,
        death_id=death.pk if death else None,
        has_identity=Identity.objects.filter(person=found).exists(),
        erasure=Erasure.objects.filter(request__person__in=_records_of(person_id)).order_by("-pk").first(),
    )


_FACTS: dict[str, type[Membership] | type[Assessment] | type[CaseSpell] | type[Exit] | type[Death]] = {
    "membership": Membership, "assessment": Assessment, "case": CaseSpell, "exit": Exit, "death": Death,
}  # fmt: skip


def fact(actor: User, kind: str, fact_id: int) -> FactPage:
    """One fact that stands, if the actor may see its village; else refused as if it did not exist."""
    row: Any = _FACTS[kind]._default_manager.filter(pk=fact_id, voided_at=None).first()
    if row is None:
        raise rules.unknown(kind, fact_id)
    if isinstance(row, Death | Membership):
        page = person(actor, row.person_id)
        home = row.household if isinstance(row, Membership) else page.memberships[0].household
        address = reverse("register:person", args=[row.person_id])
    else:
        home, address = row.household, reverse("register:household", args=[row.household_id])
    if not may(actor, VIEW, home.village_id):
        raise rules.unknown(kind, fact_id)
    return FactPage(row, home.village_id, home, address)


def open_erasure(person_id: int) -> ErasureRequest | None:
    """The request to erase a person that was not carried out yet, also one that named a record since replaced."""
    return ErasureRequest.objects.filter(person__in=_records_of(person_id), erasure=None).order_by("pk").first()


def _records_of(person_id: int) -> RawSQL:
    """Every record of a person: a correction replaces one by another."""
    return RawSQL("SELECT register_records_of(%s)", [person_id])


def erasure(actor: User, request_id: int) -> tuple[ErasureRequest, Membership]:
    """An open request to erase and the person's present or last membership; refused as if it did not exist where the
    actor may neither see its household nor carry the erasure out. The person's record may be a later one than the
    request names.
    """
    found = ErasureRequest.objects.filter(pk=request_id, erasure=None).first()
    last = (
        Membership.objects.filter(person_id=identity.present_record(found.person_id), voided_at=None)
        .select_related("household")
        .order_by("-starts_on", "-pk")
        .first()
        if found
        else None
    )
    if (
        found is None
        or last is None
        or not any(may(actor, right, last.household.village_id) for right in (VIEW, "register.apply"))
    ):
        raise rules.unknown(say("request"), request_id)
    return found, last


def erasures_waiting(actor: User) -> QuerySet[ErasureRequest]:
    """Requests of others to erase persons of villages in which the actor may carry it out, oldest first.

    `present_id` of each is the record of the person that stands now.
    """
    areas, params = visible_area_ids_sql(actor, "register.apply")
    mine = RawSQL(
        f"""SELECT r.id FROM register_erasurerequest r WHERE (SELECT h.village_id FROM register_membership m
              JOIN register_household h ON h.id = m.household_id
                  WHERE m.person_id = register_present_record(r.person_id)
               AND m.voided_at IS NULL ORDER BY m.starts_on DESC, m.id DESC LIMIT 1) IN ({areas})
               AND NOT EXISTS (SELECT FROM register_erasure e WHERE e.request_id = r.id)""",
        params,
    )
    waiting = ErasureRequest.objects.filter(pk__in=mine, erasure=None).exclude(requested_by_id=actor.pk).order_by("pk")
    return waiting.annotate(present_id=RawSQL("register_present_record(register_erasurerequest.person_id)", []))


def household_id_of_key(actor: User, key: UUID) -> int | None:
    """The household a frozen key opens to, for one who may see it; None where it leads to none of theirs."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM register_household WHERE key = %s AND village_id IN ({areas})", [key, *params])
        row = cursor.fetchone()
    return row[0] if row else None


def person_id_of_key(actor: User, key: UUID) -> int | None:
    """The person a frozen key opens to, for one who may see them; None where it leads to none, or was cut by erasing."""
    areas, params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT p.id FROM register_person p JOIN register_membership m ON m.person_id = p.id
                AND m.voided_at IS NULL
                  JOIN register_household h ON h.id = m.household_id
                 WHERE p.key = %s AND h.village_id IN ({areas}) LIMIT 1""",
            [key, *params],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _status(cases: list[CaseSpell], exits: list[Exit], today: date) -> str:
    open_cases = [c for c in cases if c.starts_on <= today and (c.ends_before is None or c.ends_before > today)]
    if open_cases:
        return str(open_cases[-1].stage)
    return "exited" if exits else ""


def household_count(actor: User, village_id: int) -> int:
    """How many households of a village are on record now."""
    require(actor, VIEW, village_id)
    return Household.objects.filter(village_id=village_id, voided_at=None, ends_before=None).count()


def household_id_of_person_key(actor: User, key: UUID) -> int | None:
    """The present or last household of the person a frozen key opens to; None where it leads to none the actor may see."""
    person_id = person_id_of_key(actor, key)
    if person_id is None:
        return None
    last = (
        Membership.objects.filter(person_id=person_id, voided_at=None)
        .select_related("household")
        .order_by("-starts_on")
        .first()
    )
    return last.household_id if last and may(actor, VIEW, last.household.village_id) else None
