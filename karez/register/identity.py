"""Who a person is: keeping, opening, finding, correcting and erasing identity. The only code that unseals it.

Every look is logged with its purpose before anything is shown. Numbers are found by a keyed hash; names by a hash keyed
by village, so that a name cannot be followed from one village to another. Holds no facts about persons: see `services`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from karez.access.models import User
from karez.access.services import log_read
from karez.intake import retention
from karez.kernel.id_number import disagreement, fault_of
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import SealingKey
from karez.notices.queries import documents_naming
from karez.places.queries import may, require, visible_area_ids_sql
from karez.register import rules
from karez.register.models import ErasureRequest, Household, Identity, Membership, Person
from karez.system import sessions

VIEW, RECORD, CORRECT = "register.view", "register.send", "register.apply"
_SHOWN = 200  # a search that finds more is asked to be narrower


@dataclass(frozen=True, repr=False)
class Values:
    """A person's identity in the clear; never stored so, never in a snapshot, never shown by a log or an error."""

    name: str = ""
    id_number: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Found:
    """A person a search found: where they are recorded now or last."""

    person_id: int
    household_id: int
    household_no: str
    village_id: int
    is_present: bool


@transaction.atomic
def open_identity(actor: User, *, person_id: int, purpose: str) -> Values | None:
    """A person's identity, logged with its purpose; None where it was erased or never given."""
    require(actor, VIEW, _village_of(person_id))
    log_read(actor, kind="person", subject_id=person_id, purpose=purpose)
    row = Identity.objects.filter(person_id=person_id).first()
    return None if row is None else _open(row)


@transaction.atomic
def open_household(actor: User, *, household_id: int, purpose: str) -> dict[int, Values]:
    """The identities of a household's present members, by person id; each look is logged."""
    members = list(
        Membership.objects.filter(household_id=household_id, voided_at=None, ends_before=None).select_related(
            "household"
        )
    )
    if not members:
        raise rules.unknown(say("household"), household_id)
    require(actor, VIEW, members[0].household.village_id)
    for member in members:
        log_read(actor, kind="person", subject_id=member.person_id, purpose=purpose)
    rows = Identity.objects.filter(person_id__in=[m.person_id for m in members]).select_related("person")
    return {row.person_id: _open(row) for row in rows}


@transaction.atomic
def names_of_heads(actor: User, village_id: int, household_ids: Sequence[int], purpose: str) -> dict[int, str]:
    """The names of the present heads of some households of a village, by household id; logged as one look at so many.

    Empty for who may not see the village's register: a form then shows numbers alone.
    """
    if not household_ids or not may(actor, VIEW, village_id):
        return {}
    log_read(actor, kind="names_of_heads", subject_id=village_id, purpose=purpose, rows=len(household_ids))
    heads = Membership.objects.filter(
        household_id__in=household_ids, household__village_id=village_id, is_head=True, voided_at=None, ends_before=None
    )
    of = dict(heads.values_list("person_id", "household_id"))
    return {
        of[row.person_id]: _open(row).name for row in Identity.objects.filter(person_id__in=of).select_related("person")
    }


@transaction.atomic
def find_by_number(actor: User, *, number: str, purpose: str) -> list[Found]:
    """The persons of an identity number, among those the actor may see. The search is logged, the number is not."""
    log_read(actor, kind="search_number", subject_id=None, purpose=purpose)
    return _found(actor, "i.number_hash = %s", [_key().number_hash(number)])


@transaction.atomic
def find_by_name(actor: User, *, name: str, area_id: int, purpose: str) -> list[Found]:
    """The persons of a name in the villages of an area, among those the actor may see; at most 200."""
    require(actor, VIEW, area_id)
    log_read(actor, kind="search_name", subject_id=area_id, purpose=purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.area_id FROM places_tree a JOIN places_tree v ON v.path <@ a.path"
            " WHERE a.area_id = %s AND v.level = 'village'",
            [area_id],
        )
        villages = [row[0] for row in cursor.fetchall()]
    hashes = [SealingKey.name_hash(_key().area_key(village), name) for village in villages]
    return _found(actor, "i.name_hash = ANY(%s)", [hashes])


@transaction.atomic
def correct_identity(actor: User, *, person_id: int, values: Values, reason: str, confirmed: bool = False) -> None:
    """Writes a person's identity anew, with a reason; what was there before stays in the history.

    Refuses, unless `confirmed`, a number that says another sex or month of birth than the person's record.
    """
    rules.check_reason(say("person {person_id}", person_id=person_id), reason)
    village_id = _village_of(person_id)
    require(actor, RECORD, village_id)
    known = Identity.objects.filter(person_id=person_id).first()
    unchanged = (
        known is not None
        and known.number_hash is not None
        and bytes(known.number_hash) == _key().number_hash(values.id_number)
    )
    if not (confirmed or unchanged):
        person = Person.objects.get(pk=person_id)
        require_agreement(
            say("person {person_id}", person_id=person_id),
            values.id_number,
            birth_month=person.birth_month,
            sex=person.sex,
        )
    with _database_refusals(say("person {person_id}", person_id=person_id)):
        keep(actor, person_id=person_id, village_id=village_id, values=values, reason=reason)


@transaction.atomic
def request_erasure(actor: User, *, person_id: int, reason: str) -> ErasureRequest:
    """Asks that a person's identity be erased; another person carries it out (`erase_person`)."""
    rules.check_reason(say("person {person_id}", person_id=person_id), reason)
    require(actor, RECORD, _village_of(person_id))
    return ErasureRequest.objects.create(person_id=person_id, requested_by_id=actor.pk, reason=reason.strip())


@transaction.atomic
def erase_person(actor: User, *, request_id: int) -> int:
    """Carries out an erasure another person asked for; returns the person's id.

    Identity, its index and its history go; the person gets a new random key, so that frozen keys lead to nobody. It
    reaches every record of the person, also one that replaced the record asked about since. The kept files that may
    hold the person go with it, and so does the name of a document that holds the person's name or a number. How many it
    reached is on record with it. Refuses while a file with the person waits for its decision.
    """
    request = ErasureRequest.objects.filter(pk=request_id).first()
    if request is None:
        raise rules.unknown(say("request"), request_id)
    person_id = present_record(request.person_id)  # a correction since then made a new record
    require(actor, CORRECT, _village_of(person_id))
    known = Identity.objects.filter(person_id=person_id).first()
    ever = _ever_known(person_id)
    villages = _villages_of(request.person_id)
    files: dict[bool, list[int]] = {True: [], False: []}  # whole ones, and those of which the words alone go
    with _database_refusals(say("request {request_id}", request_id=request_id)), connection.cursor() as cursor:
        cursor.execute(sessions.for_as_long_as_it_takes())  # it reads what every file and document says
        retention.forget_files_of(
            area_ids=villages,
            number_hash=bytes(known.number_hash) if known and known.number_hash else None,
            name_hash=bytes(known.name_hash) if known and known.name_hash else None,
            words={value for values in ever for value in asdict(values).values() if value},
            forget=lambda batch, whole: files[whole].append(batch),
        )
        numbers = {number for values in ever for number in (values.id_number, values.phone)}
        documents = documents_naming(names={values.name for values in ever}, numbers=numbers, area_ids=villages)
        cursor.execute(
            "SELECT register_erase(%s, %s, %s, %s, %s)", [request_id, actor.pk, documents, files[True], files[False]]
        )
    return person_id


def require_agreement(record: str, number: str, *, birth_month: date | None, sex: int) -> None:
    """Refuses a right number that says another month of birth or sex. For services of this room."""
    plain = number.strip().upper()
    how = "" if fault_of(plain) else disagreement(plain, birth_month=birth_month, sex=sex)
    if how:
        raise rules.number_disagrees(record, how)


def require_known_agrees(record: str, person_id: int, *, birth_month: date | None, sex: int) -> None:
    """The same for the number a person is kept with; nothing of it is shown. For services of this room."""
    row = Identity.objects.filter(person_id=person_id).exclude(number_hash=None).first()
    if row is not None:
        require_agreement(record, _open(row).id_number, birth_month=birth_month, sex=sex)


def require_unlike(
    record: str, household: Household, *, name: str, sex: int, birth_month: date | None, numbered: bool
) -> None:
    """Refuses who looks like a person of the village, in this household or another, where one of them has no number.
    For services of this room.
    """
    if not name.strip():
        return
    alike = Identity.objects.filter(
        name_hash=SealingKey.name_hash(_key().area_key(household.village_id), name),
        person__voided_at=None,
        person__sex=sex,
        person__birth_month=birth_month,
        **({"number_hash": None} if numbered else {}),
    )
    there = Household.objects.filter(
        village_id=household.village_id, memberships__voided_at=None, memberships__person__in=alike.values("person_id")
    )
    other = there.order_by("household_no").first()
    if other is not None:
        raise rules.same_person(record, other.household_no)


def keep(actor: User, *, person_id: int, village_id: int, values: Values, reason: str = "") -> None:
    """Seals and stores a person's identity; where nothing is given nothing is entered, and what was there is taken out.

    For services of this room.
    """
    given = {name: value.strip() for name, value in asdict(values).items() if value.strip()}
    sealed: dict[str, Any] = {
        "sealed": _key().seal_record(given, _random_key(person_id)),
        "number_hash": _key().number_hash(given["id_number"]) if "id_number" in given else None,
        "name_hash": SealingKey.name_hash(_key().area_key(village_id), given["name"]) if "name" in given else None,
        "changed_by_id": actor.pk,
        "change_reason": reason,
        "changed_at": Now(),
    }
    if not Identity.objects.filter(person_id=person_id).update(**sealed) and given:
        Identity.objects.create(person_id=person_id, **sealed)


def index_in(actor: User, *, person_id: int, village_id: int) -> None:
    """Keys a person's name to the village they moved to. For services of this room."""
    row = Identity.objects.filter(person_id=person_id).first()
    if row is not None:
        keep(actor, person_id=person_id, village_id=village_id, values=_open(row), reason="moved")


def hand_over(actor: User, *, old_id: int, new_id: int) -> None:
    """Gives an identity to the record that replaces its person's. For services of this room."""
    row = Identity.objects.filter(person_id=old_id).first()
    if row is not None:
        record = _key().open_record(bytes(row.sealed), _random_key(old_id))
        Identity.objects.filter(person_id=old_id).update(
            person_id=new_id,
            sealed=_key().seal_record(record, _random_key(new_id)),
            changed_by_id=actor.pk,
            changed_at=Now(),
            change_reason="person record replaced",
        )


def present_record(person_id: int) -> int:
    """The record that stands of a person, of whom one of the records is given; the same where it was never corrected."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT register_present_record(%s)", [person_id])
        return int(cursor.fetchone()[0])


def _key() -> SealingKey:
    key: SealingKey = settings.SEALING_KEY
    return key


def _random_key(person_id: int) -> UUID:
    """What a person's identity is sealed together with, so that it opens for no other person."""
    key: UUID = Person.objects.values_list("key", flat=True).get(pk=person_id)
    return key


def _open(row: Identity) -> Values:
    return _values(_key().open_record(bytes(row.sealed), row.person.key))


def _values(record: dict[str, str]) -> Values:
    return Values(**{name: record.get(name, "") for name in ("name", "id_number", "phone")})


def _ever_known(person_id: int) -> list[Values]:
    """What a person is and was kept with, under every record of theirs: a name corrected since stands in older papers
    too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT x.sealed, p.key FROM (SELECT person_id, sealed FROM register_identity UNION ALL
                SELECT person_id, sealed FROM register_identityevent) x
                 JOIN register_person p ON p.id = x.person_id WHERE x.person_id IN (SELECT register_records_of(%s))""",
            [person_id],
        )
        return [_values(_key().open_record(bytes(sealed), key)) for sealed, key in cursor.fetchall()]


def _village_of(person_id: int) -> int:
    """The village of a person's present or last household."""
    last = (
        Membership.objects.filter(person_id=person_id, voided_at=None)
        .select_related("household")
        .order_by("-starts_on", "-pk")
        .first()
    )
    if last is None:
        raise rules.unknown(say("person"), person_id)
    return last.household.village_id


def _villages_of(person_id: int) -> list[int]:
    """Every village a person, under this record or one it replaces or is replaced by, was recorded in, mistaken ones
    too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT h.village_id FROM register_records_of(%s) r (id) JOIN register_membership m
                ON m.person_id = r.id
                 JOIN register_household h ON h.id = m.household_id""",
            [person_id],
        )
        return [row[0] for row in cursor.fetchall()]


def _found(actor: User, condition: str, params: list[Any]) -> list[Found]:
    areas, area_params = visible_area_ids_sql(actor, VIEW)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT ON (i.person_id) i.person_id, h.id, h.household_no, h.village_id, m.ends_before IS NULL
                  FROM register_identity i JOIN register_membership m ON m.person_id = i.person_id
                      AND m.voided_at IS NULL
                  JOIN register_household h ON h.id = m.household_id
                 WHERE {condition} AND h.village_id IN ({areas})
                 ORDER BY i.person_id, m.starts_on DESC, m.id DESC LIMIT {_SHOWN + 1}""",
            [*params, *area_params],
        )
        rows = [Found(*row) for row in cursor.fetchall()]
    if len(rows) > _SHOWN:
        raise Refusal(
            "register.too_many",
            record=say("search"),
            found=say("more than {shown} persons", shown=_SHOWN),
            expected=say("a narrower search"),
            rule=say("a search is no way to list people"),
            todo=say("search in a township or village"),
        )
    return rows


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
