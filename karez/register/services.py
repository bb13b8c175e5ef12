"""The only writers of households, persons, memberships, assessments, cases and deaths. Identity: see `identity`.

Each service takes the actor first, checks the permission over the village, and writes in one transaction. Days are true
days; what is learnt after its year was closed keeps its day and counts from the first open day. Holds no bulk loading:
`loading`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from karez.access.models import User
from karez.kernel.facts import Fact, SpellFact
from karez.kernel.messages import say
from karez.periods.services import counts_on, ends_on
from karez.places.queries import require
from karez.register import identity, rules
from karez.register.models import (
    Assessment,
    CaseSpell,
    Death,
    Exit,
    ExitReason,
    Household,
    HouseholdKind,
    Membership,
    Person,
    Stage,
)

RECORD, CORRECT = "register.send", "register.apply"


@dataclass(frozen=True, repr=False)
class NewPerson:
    """A person about to be entered: `birth_month` is the first of the month; identity values may be empty.

    It is not shown by a log or an error.
    """

    sex: int
    birth_month: date | None
    relation: int
    since: date
    name: str = ""
    id_number: str = ""
    phone: str = ""


@transaction.atomic
def add_household(
    actor: User,
    *,
    village_id: int,
    household_no: str,
    starts_on: date,
    kind: str = HouseholdKind.REGISTERED,
    stage: str = Stage.RECORDED,
) -> Household:
    """Enters a household of a village; a registered one with its case at `stage`. Refuses a number taken in the
    village, however written.
    """
    require(actor, RECORD, village_id)
    record = say("household {household_no}", household_no=household_no)
    rules.check_day(record, starts_on, today=date.today())
    taken = Household.objects.numbered(village_id, household_no).first()
    if taken is not None:
        raise rules.number_taken(record, taken.household_no)
    with _database_refusals(record):
        made = Household.objects.create(
            village_id=village_id,
            household_no=household_no.strip(),
            kind=kind,
            recorded_by_id=actor.pk,
            **_from(starts_on),
        )
        if kind == HouseholdKind.REGISTERED:
            CaseSpell.objects.create(household=made, stage=stage, recorded_by_id=actor.pk, **_from(starts_on))
    return made


@transaction.atomic
def add_person(actor: User, *, household_id: int, new: NewPerson, confirmed: bool = False) -> Person:
    """Enters a person as a member of a household, with their identity sealed apart.

    Refuses, unless `confirmed`, a number that says another sex or month, and one who looks like a person of the
    village.
    """
    household = _household(actor, household_id)
    record = say("household {household_no}", household_no=household.household_no)
    if not confirmed:
        identity.require_agreement(record, new.id_number, birth_month=new.birth_month, sex=new.sex)
        identity.require_unlike(
            record,
            household,
            name=new.name,
            sex=new.sex,
            birth_month=new.birth_month,
            numbered=bool(new.id_number.strip()),
        )
    rules.check_day(record, new.since, today=date.today(), not_before=new.birth_month)
    with _database_refusals(record):
        person = Person.objects.create(sex=new.sex, birth_month=new.birth_month, recorded_by_id=actor.pk)
        _join(actor, person.pk, household, new.relation, new.since)
        identity.keep(
            actor,
            person_id=person.pk,
            village_id=household.village_id,
            values=identity.Values(name=new.name, id_number=new.id_number, phone=new.phone),
        )
    return person


@transaction.atomic
def move_person(actor: User, *, person_id: int, household_id: int, relation: int, on: date, reason: str) -> Membership:
    """Ends a person's membership on a day and starts one in another household on the same day; needs both villages.

    Who left before comes back by it: a new membership, in the same household or another, from the day they left or
    later.
    """
    rules.check_reason(say("person {person_id}", person_id=person_id), reason)
    _lock(person_id)
    old = present_membership(actor, person_id)
    target = _household(actor, household_id)
    rules.check_day(
        say("person {person_id}", person_id=person_id),
        on,
        today=date.today(),
        not_before=old.starts_on if old else _left_on(person_id),
    )
    with _database_refusals(say("person {person_id}", person_id=person_id)):
        if old is not None:
            _end(actor, old, on, reason)
        made = _join(actor, person_id, target, relation, on)
    if old is None or old.household.village_id != target.village_id:
        identity.index_in(actor, person_id=person_id, village_id=target.village_id)
    return made


@transaction.atomic
def end_membership(actor: User, *, person_id: int, on: date, reason: str) -> Membership:
    """Ends a person's present membership on a day, for a reason other than death."""
    rules.check_reason(say("person {person_id}", person_id=person_id), reason)
    _lock(person_id)
    old = present_membership(actor, person_id)
    if old is None:
        raise rules.not_a_member(person_id)
    rules.check_day(say("person {person_id}", person_id=person_id), on, today=date.today(), not_before=old.starts_on)
    with _database_refusals(say("person {person_id}", person_id=person_id)):
        return _end(actor, old, on, reason)


@transaction.atomic
def record_death(actor: User, *, person_id: int, on: date) -> Death:
    """Records that a person died on a day, and ends their membership with that day."""
    _lock(person_id)
    old = present_membership(actor, person_id)
    rules.check_day(
        say("person {person_id}", person_id=person_id),
        on,
        today=date.today(),
        not_before=old.starts_on if old else None,
    )
    with _database_refusals(say("person {person_id}", person_id=person_id)):
        if old is not None:
            _end(actor, old, on, "death")
        return Death.objects.create(person_id=person_id, recorded_by_id=actor.pk, **_at(on))


@transaction.atomic
def assess(
    actor: User, *, household_id: int, year: int, assessed_on: date, income_fen: int, size: int, line: str
) -> Assessment:
    """Records a household's net income of a year (fen), and by how many persons it is divided."""
    household = _household(actor, household_id)
    record = say("household {household_no}", household_no=household.household_no)
    rules.check_day(record, assessed_on, today=date.today())
    if not CaseSpell.objects.filter(household=household, voided_at=None).exists():
        raise rules.no_case(household_id)
    with _database_refusals(record):
        return Assessment.objects.create(
            household=household,
            year=year,
            income_fen=income_fen,
            size=size,
            line=line.strip(),
            recorded_by_id=actor.pk,
            **_at(assessed_on),
        )


@transaction.atomic
def open_case(actor: User, *, household_id: int, on: date, stage: str = Stage.RECORDED) -> CaseSpell:
    """Opens a household's case at a stage, or brings it from identified to on record; a return to the register is a new
    spell.
    """
    household = _household(actor, household_id)
    old = _present_case(household)
    rules.check_day(
        say("household {household_no}", household_no=household.household_no),
        on,
        today=date.today(),
        not_before=old.starts_on if old else None,
    )
    with _database_refusals(say("household {household_no}", household_no=household.household_no)):
        if old is not None and old.stage != stage:
            _end(actor, old, on, f"now {stage}")
        return CaseSpell.objects.create(household=household, stage=stage, recorded_by_id=actor.pk, **_from(on))


@transaction.atomic
def exit_case(actor: User, *, household_id: int, on: date, reason: str) -> Exit:
    """Ends a household's case on a day, for a reason of the list (`ExitReason`)."""
    household = _household(actor, household_id)
    old = _present_case(household)
    if old is None:
        raise rules.no_case(household_id)
    rules.check_day(
        say("household {household_no}", household_no=household.household_no),
        on,
        today=date.today(),
        not_before=old.starts_on,
    )
    with _database_refusals(say("household {household_no}", household_no=household.household_no)):
        _end(actor, old, on, f"exit: {reason}")
        return Exit.objects.create(household=household, reason=reason, recorded_by_id=actor.pk, **_at(on))


@transaction.atomic
def dissolve_household(actor: User, *, household_id: int, on: date, reason: str) -> Household:
    """Ends a household that no longer exists; an open case ends with it, as dissolved.

    Refuses one to which somebody still belongs: each member moves, leaves or died, and is recorded so first.
    """
    household = _household(actor, household_id)
    record = say("household {household_no}", household_no=household.household_no)
    rules.check_reason(record, reason)
    Household.objects.select_for_update().get(pk=household.pk)
    if household.ends_before is not None:
        raise rules.dissolved_already(record, household.ends_before)
    members = Membership.objects.filter(household=household, voided_at=None)
    staying = members.filter(Q(ends_before=None) | Q(ends_before__gt=on)).count()
    if staying:
        raise rules.has_members(record, staying)
    last = members.order_by("-ends_before").values_list("ends_before", flat=True).first()
    rules.check_day(record, on, today=date.today(), not_before=max(household.starts_on, last or household.starts_on))
    if _present_case(household) is not None:
        exit_case(actor, household_id=household_id, on=on, reason=ExitReason.DISSOLVED)
    with _database_refusals(record):
        _end(actor, household, on, reason)
    return household


R = TypeVar("R", Membership, Assessment, CaseSpell, Death, Exit)
_CHANGEABLE: dict[type[Fact], frozenset[str]] = {
    Membership: frozenset({"household_id", "relation", "starts_on", "ends_before"}),
    Assessment: frozenset({"year", "income_fen", "size", "line", "happened_on"}),
    CaseSpell: frozenset({"stage", "starts_on", "ends_before"}),
    Death: frozenset({"happened_on"}),
    Exit: frozenset({"reason", "happened_on"}),
}


@transaction.atomic
def void_fact(actor: User, *, row: R, reason: str) -> R:
    """Voids one wrong membership, assessment, case spell, death or exit, with a reason. Needs `register.apply`.

    Refuses a person's only membership: a person without one could be reached by nobody.
    """
    record = say("{what} {number}", what=row._meta.verbose_name, number=row.pk)
    rules.check_reason(record, reason)
    require(actor, CORRECT, _village_of(row))
    if isinstance(row, Membership):
        _lock(row.person_id)
        if not Membership.objects.filter(person_id=row.person_id, voided_at=None).exclude(pk=row.pk).exists():
            raise rules.last_household(row.person_id)
    with _database_refusals(record):
        _void(actor, row, reason)
    return row


@transaction.atomic
def void_and_replace(actor: User, *, row: R, changes: Mapping[str, Any], reason: str) -> R:
    """Voids one wrong row with a reason and writes it anew with `changes`; returns the new row. Needs `register.apply`."""
    record = say("{what} {number}", what=row._meta.verbose_name, number=row.pk)
    rules.check_reason(record, reason)
    if row.voided_at is not None or not changes or not set(changes) <= _CHANGEABLE[type(row)]:
        raise rules.not_replaceable(
            record,
            say("void already")
            if row.voided_at
            else say("changes of {changes}", changes=sorted(changes) or say("nothing")),
        )
    require(actor, CORRECT, _village_of(row))
    if "household_id" in changes:
        require(actor, CORRECT, Household.objects.get(pk=changes["household_id"]).village_id)
    with _database_refusals(record):
        _void(actor, row, reason)
        anew: R = _anew(actor, row, dict(changes))
    return anew


@transaction.atomic
def correct_person(
    actor: User, *, person_id: int, sex: int, birth_month: date | None, reason: str, confirmed: bool = False
) -> Person:
    """Voids a person's wrong attributes and enters the person anew, with memberships and identity; returns the new
    record.

    The new record has a new random key. Refuses where the person's death is recorded: that is corrected first.
    """
    record = say("person {person_id}", person_id=person_id)
    rules.check_reason(record, reason)
    old = _lock(person_id)
    memberships = list(Membership.objects.filter(person=old, voided_at=None).order_by("starts_on"))
    for membership in memberships:
        require(actor, CORRECT, membership.household.village_id)
    if not confirmed:
        identity.require_known_agrees(record, person_id, birth_month=birth_month, sex=sex)
    if not memberships or Death.objects.filter(person=old, voided_at=None).exists():
        raise rules.not_replaceable(record, say("no household, or a recorded death"))
    with _database_refusals(record):
        new = Person.objects.create(sex=sex, birth_month=birth_month, replaces=old, recorded_by_id=actor.pk)
        for membership in memberships:
            _void(actor, membership, reason)
            _anew(actor, membership, {"person_id": new.pk})
        identity.hand_over(actor, old_id=old.pk, new_id=new.pk)
        _mark_void(actor, old, reason, ends_on(date.today()))
    return new


def present_membership(actor: User, person_id: int) -> Membership | None:
    """The membership that has no end yet; refuses a person whose last village the actor may not write in."""
    last = (
        Membership.objects.filter(person_id=person_id, voided_at=None)
        .select_related("household")
        .order_by("-starts_on", "-pk")
        .first()
    )
    if last is None:
        raise rules.unknown(say("person"), person_id)
    require(actor, RECORD, last.household.village_id)
    return last if last.ends_before is None else None


def _left_on(person_id: int) -> date | None:
    """The day from which a person belonged to no household any more."""
    return Membership.objects.filter(person_id=person_id, voided_at=None).aggregate(last=Max("ends_before"))["last"]  # type: ignore[no-any-return]


def _household(actor: User, household_id: int) -> Household:
    found = Household.objects.filter(pk=household_id, voided_at=None).first()
    if found is None:
        raise rules.unknown(say("household"), household_id)
    require(actor, RECORD, found.village_id)
    return found


def _lock(person_id: int) -> Person:
    """Two acts about one person follow each other."""
    found = Person.objects.select_for_update().filter(pk=person_id, voided_at=None).first()
    if found is None:
        raise rules.unknown(say("person"), person_id)
    return found


def _present_case(household: Household) -> CaseSpell | None:
    return CaseSpell.objects.filter(household=household, voided_at=None, ends_before=None).first()


def _join(actor: User, person_id: int, household: Household, relation: int, since: date) -> Membership:
    return Membership.objects.create(
        person_id=person_id,
        household=household,
        relation=relation,
        is_head=relation == 0,
        recorded_by_id=actor.pk,
        **_from(since),
    )


def _from(day: date) -> dict[str, date]:
    return {"starts_on": day, "counts_from": counts_on(day)}


def _at(day: date) -> dict[str, date]:
    return {"happened_on": day, "counts_on": counts_on(day)}


S = TypeVar("S", Membership, CaseSpell, Household)


def _end(actor: User, spell: S, on: date, reason: str) -> S:
    spell.ends_before, spell.counts_before = on, max(ends_on(on), spell.counts_from)
    spell.ended_by_id, spell.end_reason = actor.pk, reason
    type(spell).objects.filter(pk=spell.pk).update(
        ends_before=on, counts_before=spell.counts_before, ended_at=Now(), ended_by_id=actor.pk, end_reason=reason
    )
    return spell


def _void(actor: User, row: Any, reason: str) -> None:
    _mark_void(actor, row, reason, counts_on(row.counts_from if isinstance(row, SpellFact) else row.counts_on))


def _mark_void(actor: User, row: Any, reason: str, day: date) -> None:
    type(row).objects.filter(pk=row.pk).update(
        voided_at=Now(), voided_by_id=actor.pk, void_reason=reason, void_counts_on=day
    )
    row.refresh_from_db()


def _anew(actor: User, row: Any, changes: dict[str, Any]) -> Any:
    """A copy of a voided row with changes; its days count as if learnt now."""
    kept = (
        "person_id",
        "household_id",
        "relation",
        "year",
        "income_fen",
        "size",
        "line",
        "stage",
        "reason",
        "happened_on",
        "starts_on",
        "ends_before",
        "end_reason",
    )
    values = {name: getattr(row, name) for name in kept if hasattr(row, name)} | changes
    if isinstance(row, SpellFact):
        values["counts_from"] = counts_on(values["starts_on"])
        if values["ends_before"] is None:
            values["end_reason"] = None
        else:
            values |= {
                "counts_before": max(ends_on(values["ends_before"]), values["counts_from"]),
                "ended_by_id": actor.pk,
                "ended_at": Now(),
            }
    else:
        values["counts_on"] = counts_on(values["happened_on"])
    if isinstance(row, Membership):
        values["is_head"] = values["relation"] == 0
    return type(row).objects.create(replaces=row, recorded_by_id=actor.pk, **values)


def _village_of(row: Any) -> int:
    if isinstance(row, Death):
        last = Membership.objects.filter(person_id=row.person_id, voided_at=None).order_by("-starts_on").first()
        if last is None:
            raise rules.unknown(say("person"), row.person_id)
        return last.household.village_id
    village_id: int = row.household.village_id
    return village_id


@contextmanager
def _database_refusals(record: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        refusal = rules.refusal_of(error, record)
        if refusal is None:
            raise
        raise refusal from error
