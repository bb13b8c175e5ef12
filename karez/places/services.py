"""The only writers of places: new areas, renames, moves, splits, merges, designations; and the renewing of today's
tree.

Each service checks the permission `places.maintain` over every area it touches, closes and opens spells (nothing is
overwritten), and renews the tree. Holds no bulk loading: see `loading`. Days are true days; what is learnt after its
year was closed counts from the first open day.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Now

from karez.access.models import User
from karez.kernel.messages import say
from karez.places import rules
from karez.places.models import Area, AreaSpell, Designation, Mark, Succession
from karez.places.queries import require

PERMISSION = "places.maintain"


@dataclass(frozen=True)
class NewArea:
    """An area about to be made: its code and names, and the ids of the areas that come under it."""

    code: str
    name_zh: str
    name_en: str
    children: Sequence[int] = field(default_factory=tuple)


def refresh_tree() -> int:
    """Rebuilds today's tree; returns its number of areas. Called after each change."""
    with _database_refusals(say("tree")), connection.cursor() as cursor:
        cursor.execute("SELECT places_refresh_tree()")
        return int(cursor.fetchone()[0])


def refresh_tree_if_due() -> bool:
    """Rebuilds today's tree where a change dated ahead has come due; cheap otherwise. For the start and once a day."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT due FROM places_tree_due")
        due = bool(cursor.fetchone()[0])
    if due:
        refresh_tree()
    return due


@transaction.atomic
def add_area(
    actor: User,
    *,
    parent_id: int,
    level: str,
    new: NewArea,
    starts_on: date,
    mark: str = Mark.SOURCED,
    note: str = "",
) -> AreaSpell:
    """Makes an area under another from a day on, and moves the named children under it; returns its first spell."""
    require(actor, PERMISSION, parent_id)
    spell = _make_area(actor, new, level=level, parent_id=parent_id, day=starts_on, mark=mark, note=note)
    _move(actor, new.children, to=spell.area_id, day=starts_on, reason=note or "new area")
    refresh_tree()
    return spell


@transaction.atomic
def rename_area(
    actor: User,
    *,
    area_id: int,
    from_day: date,
    reason: str,
    code: str | None = None,
    name_zh: str | None = None,
    name_en: str | None = None,
) -> AreaSpell:
    """Gives an area another name or code from a day on; what is not given stays. Returns the new spell."""
    require(actor, PERMISSION, area_id)
    given = {"code": code, "name_zh": name_zh, "name_en": name_en}
    spell = _change(actor, area_id, from_day, reason, {k: v for k, v in given.items() if v is not None})
    refresh_tree()
    return spell


@transaction.atomic
def move_area(actor: User, *, area_id: int, parent_id: int, from_day: date, reason: str) -> AreaSpell:
    """Puts an area, with all below it, under another from a day on. Returns the new spell."""
    require(actor, PERMISSION, area_id)
    require(actor, PERMISSION, parent_id)
    spell = _change(actor, area_id, from_day, reason, {"parent_id": parent_id})
    refresh_tree()
    return spell


@transaction.atomic
def end_area(actor: User, *, area_id: int, ends_before: date, reason: str) -> AreaSpell:
    """Ends an area; refuses while areas lie under it on that day or later. Returns the ended spell."""
    require(actor, PERMISSION, area_id)
    spell = _end(actor, _last_spell(area_id), ends_before, reason)
    refresh_tree()
    return spell


@transaction.atomic
def cut_out_area(
    actor: User,
    *,
    from_area_ids: Sequence[int],
    parent_id: int,
    level: str,
    new: NewArea,
    on: date,
    reason: str,
    mark: str = Mark.SOURCED,
) -> AreaSpell:
    """Makes a new area of land of others, which go on; its children leave their old parents. Returns its first spell."""
    for area_id in (*from_area_ids, parent_id):
        require(actor, PERMISSION, area_id)
    spell = _make_area(actor, new, level=level, parent_id=parent_id, day=on, mark=mark, note=reason)
    _move(actor, new.children, to=spell.area_id, day=on, reason=reason)
    for area_id in from_area_ids:
        _succeed(actor, area_id, spell.area_id, Succession.Kind.CUT_OUT, on, reason, mark)
    refresh_tree()
    return spell


@transaction.atomic
def split_area(
    actor: User, *, area_id: int, parts: Sequence[NewArea], on: date, reason: str, mark: str = Mark.SOURCED
) -> list[AreaSpell]:
    """Ends an area and makes its parts in its place; every child must go to one part. Returns the parts' spells."""
    require(actor, PERMISSION, area_id)
    old = _last_spell(area_id)
    rules.check_parts(area_id, [part.children for part in parts], _children_on(area_id, on))
    made = []
    _end(actor, old, on, reason)
    for part in parts:
        spell = _make_area(actor, part, level=old.level, parent_id=old.parent_id, day=on, mark=mark, note=reason)
        _move(actor, part.children, to=spell.area_id, day=on, reason=reason)
        _succeed(actor, area_id, spell.area_id, Succession.Kind.SPLIT, on, reason, mark)
        made.append(spell)
    refresh_tree()
    return made


@transaction.atomic
def merge_areas(
    actor: User,
    *,
    area_ids: Sequence[int],
    into: int | NewArea,
    on: date,
    reason: str,
    mark: str = Mark.SOURCED,
) -> int:
    """Ends areas and moves all under them into one that goes on, or into a new one. Returns the id of that one.

    A new one takes the level and parent of the first area merged.
    """
    for area_id in (*area_ids, *([into] if isinstance(into, int) else [])):
        require(actor, PERMISSION, area_id)
    old = [_last_spell(area_id) for area_id in area_ids]
    for spell in old:
        _end(actor, spell, on, reason)
    if isinstance(into, NewArea):
        made = _make_area(actor, into, level=old[0].level, parent_id=old[0].parent_id, day=on, mark=mark, note=reason)
        target = made.area_id
        _move(actor, into.children, to=target, day=on, reason=reason)
    else:
        target = into
    for area_id in area_ids:
        _move(actor, _children_on(area_id, on), to=target, day=on, reason=reason)
        _succeed(actor, area_id, target, Succession.Kind.MERGE, on, reason, mark)
    refresh_tree()
    return target


@transaction.atomic
def replace_spell(actor: User, *, spell_id: int, reason: str, **right: Any) -> AreaSpell:
    """Voids a wrong statement about an area and writes the right one in its place, in the same moment.

    `right` names what was wrong: code, name_zh, name_en, parent_id, starts_on, mark, note.
    """
    wrong = AreaSpell.objects.select_for_update(of=("self",), no_key=True).get(pk=spell_id)
    require(actor, PERMISSION, wrong.area_id)
    rules.check_reason(say("area {code}", code=wrong.code), reason)
    if wrong.voided_at is not None:
        raise rules.already_void(say("area {code}", code=wrong.code))
    AreaSpell.objects.filter(pk=spell_id).update(
        voided_at=Now(), voided_by_id=actor.pk, void_reason=reason, void_counts_on=_counts("counts_from")
    )
    kept = ("area_id", "level", "code", "name_zh", "name_en", "parent_id", "starts_on", "mark", "note")
    words = {name: getattr(wrong, name) for name in kept} | right
    if wrong.ends_before is not None:
        words |= {
            "ends_before": wrong.ends_before,
            "counts_before": _open(max(wrong.ends_before, words["starts_on"])),
            "ended_at": Now(),
            "ended_by_id": actor.pk,
            "end_reason": wrong.end_reason,
        }
    with _database_refusals(say("area {code}", code=wrong.code)):
        spell = AreaSpell.objects.create(
            **words, counts_from=_open(words["starts_on"]), replaces=wrong, recorded_by_id=actor.pk
        )
    refresh_tree()
    spell.refresh_from_db()
    return spell


@transaction.atomic
def designate(
    actor: User,
    *,
    area_id: int,
    list: str,  # noqa: A002
    starts_on: date,
    document: str,
    ends_before: date | None = None,
    mark: str = Mark.SOURCED,
    note: str = "",
) -> Designation:
    """Puts an area on a list from a day, by a document; a second time at once is refused."""
    require(actor, PERMISSION, area_id)
    rules.check_document(say("area {area_id}", area_id=area_id), document)
    end: dict[str, Any] = {}
    if ends_before is not None:
        end = {
            "ends_before": ends_before,
            "counts_before": _open(ends_before),
            "ended_at": Now(),
            "ended_by_id": actor.pk,
            "end_reason": "given with its end",
        }
    with _database_refusals(say("area {area_id} on {list}", area_id=area_id, list=list)):
        return Designation.objects.create(
            area_id=area_id,
            list=list,
            document=document,
            mark=mark,
            note=note,
            starts_on=starts_on,
            counts_from=_open(starts_on),
            recorded_by_id=actor.pk,
            **end,
        )


@transaction.atomic
def end_designation(actor: User, *, designation_id: int, ends_before: date, reason: str) -> Designation:
    """Takes an area off a list from a day on."""
    found = Designation.objects.select_for_update(of=("self",), no_key=True).get(pk=designation_id)
    require(actor, PERMISSION, found.area_id)
    rules.check_reason(say("designation {designation_id}", designation_id=designation_id), reason)
    with _database_refusals(say("designation {designation_id}", designation_id=designation_id)):
        _set_end(Designation, [designation_id], actor, ends_before, reason)
    found.refresh_from_db()
    return found


# How spells are closed and opened.


def _last_spell(area_id: int) -> AreaSpell:
    spells = AreaSpell.objects.select_for_update(of=("self",), no_key=True)
    last = spells.filter(area_id=area_id, voided_at=None).order_by("starts_on").last()
    if last is None or last.ends_before is not None:
        raise rules.has_ended(area_id, last.ends_before if last else None)
    return last


def _children_on(area_id: int, day: date) -> list[int]:
    """Areas under another on a day and still there; the areas whose last spell lies under it."""
    spells = AreaSpell.objects.filter(parent_id=area_id, voided_at=None, ends_before=None, starts_on__lte=day)
    return list(spells.values_list("area_id", flat=True))


def _change(actor: User, area_id: int, day: date, reason: str, changes: dict[str, Any]) -> AreaSpell:
    old = _last_spell(area_id)
    kept = {name: getattr(old, name) for name in ("level", "code", "name_zh", "name_en", "parent_id")}
    rules.check_change(say("area {code}", code=old.code), kept, old.starts_on, day, changes)
    _end(actor, old, day, reason)
    with _database_refusals(say("area {code}", code=old.code)):
        spell = AreaSpell.objects.create(
            **kept | changes,
            area_id=area_id,
            note=reason,
            starts_on=day,
            counts_from=_open(day),
            recorded_by_id=actor.pk,
        )
    spell.refresh_from_db()
    return spell


def _end(actor: User, spell: AreaSpell, day: date, reason: str) -> AreaSpell:
    rules.check_reason(say("area {code}", code=spell.code), reason)
    with _database_refusals(say("area {code}", code=spell.code)):
        _set_end(AreaSpell, [spell.pk], actor, day, reason)
    spell.refresh_from_db()
    return spell


def _make_area(
    actor: User, new: NewArea, *, level: str, parent_id: int | None, day: date, mark: str, note: str
) -> AreaSpell:
    area = Area.objects.create(first_level=level, recorded_by_id=actor.pk)
    with _database_refusals(f"{level} {new.code}"):
        spell = AreaSpell.objects.create(
            area=area,
            level=level,
            code=new.code,
            name_zh=new.name_zh,
            name_en=new.name_en,
            parent_id=parent_id,
            mark=mark,
            note=note,
            starts_on=day,
            counts_from=_open(day),
            recorded_by_id=actor.pk,
        )
    spell.refresh_from_db()
    return spell


def _move(actor: User, area_ids: Sequence[int], *, to: int, day: date, reason: str) -> None:
    """Puts many areas under one from a day on, in two statements."""
    if not area_ids:
        return
    for area_id in area_ids:
        require(actor, PERMISSION, area_id)
    with _database_refusals(say("children")), connection.cursor() as cursor:
        old = AreaSpell.objects.filter(area_id__in=area_ids, voided_at=None, ends_before=None)
        ids = list(old.values_list("pk", flat=True))
        _set_end(AreaSpell, ids, actor, day, reason)
        cursor.execute(
            "INSERT INTO places_areaspell (area_id, level, code, name_zh, name_en, parent_id, mark, note, "
            "recorded_by_id,"
            " starts_on, counts_from)"
            " SELECT area_id, level, code, name_zh, name_en, %s, 'sourced', %s, %s, %s, periods_counts_on(%s)"
            " FROM places_areaspell WHERE id = ANY(%s)",
            [to, reason, actor.pk, day, day, ids],
        )


def _succeed(actor: User, old: int, new: int, kind: str, day: date, note: str, mark: str) -> None:
    Succession.objects.create(
        predecessor_id=old,
        successor_id=new,
        kind=kind,
        happened_on=day,
        counts_on=_open(day),
        note=note,
        mark=mark,
        recorded_by_id=actor.pk,
    )


def _set_end(
    model: type[AreaSpell] | type[Designation], ids: Sequence[int], actor: User, day: date, reason: str
) -> None:
    model.objects.filter(pk__in=ids).update(
        ends_before=day,
        counts_before=Greatest(_open(day), F("counts_from")),
        ended_at=Now(),
        ended_by_id=actor.pk,
        end_reason=reason,
    )


def _open(day: date) -> Any:
    """The day a statement about `day` counts from, asked of the room of periods in the database."""
    return RawSQL("periods_counts_on(%s)", [day])


def _counts(column: str) -> Any:
    return RawSQL(f"periods_counts_on({column})", [])


@contextmanager
def _database_refusals(record: str) -> Iterator[None]:
    """Turns the database's refusals of this room into a Refusal; anything else stays what it is."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        refusal = rules.refusal_of(error.__cause__, record)
        if refusal is None:
            raise
        raise refusal from error
