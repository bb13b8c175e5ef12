"""What may be asked about places: who sees which, what a code means, ancestors, children, history. Writes nothing.

Visibility follows today's tree from the areas granted to the actor; code prefixes are never compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from karez.access.models import User
from karez.access.queries import granted_area_ids
from karez.access.rules import roles_with, who_may
from karez.kernel.messages import say
from karez.kernel.reading import once_a_page
from karez.kernel.refusal import Refusal
from karez.places.models import AreaSpell, Designation, Level, Succession, Tree

# Materialized: a planner without fresh statistics otherwise walks the tree again for every row it is asked about.
_BELOW = (
    "WITH below AS MATERIALIZED (SELECT DISTINCT seen.area_id FROM places_tree granted"
    " JOIN places_tree seen ON seen.path <@ granted.path WHERE granted.area_id = ANY(%s)) SELECT area_id FROM below"
)

LIES_BELOW = (
    "EXISTS (SELECT 1 FROM places_tree seen JOIN places_tree granted ON seen.path <@ granted.path"
    " WHERE seen.area_id = {area} AND granted.area_id = ANY({granted}))"
)
_HOLDERS = """
SELECT DISTINCT seen.area_id, g.user_id
  FROM places_tree seen JOIN places_tree granted ON seen.path <@ granted.path
  JOIN access_grant g ON g.area_id = granted.area_id AND g.role = ANY(%(roles)s) AND g.counts_from <= %(day)s
   AND (g.counts_before IS NULL OR g.counts_before > %(day)s) AND (g.void_counts_on IS NULL
       OR g.void_counts_on > %(day)s)
  JOIN access_user u ON u.id = g.user_id AND u.is_active
 WHERE seen.area_id = ANY(%(areas)s)"""


@dataclass(frozen=True)
class TreeRow:
    """An area as of a day, with its ancestors' ids; an area is its own ancestor of its level."""

    area_id: int
    level: str
    code: str
    name_zh: str
    name_en: str
    parent_id: int | None
    region_id: int
    prefecture_id: int | None
    county_id: int | None
    township_id: int | None
    village_id: int | None
    path: str


def visible_area_ids_sql(actor: User, permission: str) -> tuple[str, list[Any]]:
    """SQL of one column `area_id`, and its parameters: the areas over which `actor` holds `permission` today."""
    return _BELOW, [granted_area_ids(actor, permission)]


def area_ids_within(actor: User, permission: str, place_id: int | None = None) -> list[int] | None:
    """The areas over which `actor` holds `permission` today, of them those of a place where one is given; None where
    that is the whole region. For conditions on large tables: the planner counts what is written out.
    """
    return _ids_within(tuple(granted_area_ids(actor, permission)), place_id)


@once_a_page
def _ids_within(granted: tuple[int, ...], place_id: int | None) -> list[int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN EXISTS (SELECT FROM places_tree WHERE area_id = ANY(%(granted)s) AND parent_id IS NULL)
                    AND coalesce((SELECT parent_id IS NULL FROM places_tree WHERE area_id = %(place)s::bigint),
                                 %(place)s::bigint IS NULL) THEN NULL
                   ELSE ARRAY(SELECT DISTINCT seen.area_id FROM places_tree granted
                       JOIN places_tree seen ON seen.path <@ granted.path
                      WHERE granted.area_id = ANY(%(granted)s) AND (%(place)s::bigint IS NULL
                          OR seen.path <@ (SELECT path FROM places_tree WHERE area_id = %(place)s::bigint))
                      ORDER BY 1) END""",
            {"granted": list(granted), "place": place_id},
        )
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def places_around(actor: User, permission: str, place_id: int | None) -> list[Tree]:
    """What a reader may go on to from a place (from what was granted to them, where none is given): the way down to it,
    the place itself, and those right below.
    """
    granted = granted_area_ids(actor, permission)
    start = place_id if place_id is not None else granted[0] if len(granted) == 1 else None
    above = RawSQL(
        "SELECT a.area_id FROM places_tree a JOIN places_tree b ON b.path <@ a.path WHERE b.area_id = %s", [start]
    )
    near = Q(pk__in=above) | Q(parent_id=start, is_current=True) if start is not None else Q(pk__in=granted)
    seen = area_ids_within(actor, permission)
    found = Tree.objects.filter(near) if seen is None else Tree.objects.filter(near, pk__in=seen)
    return list(found.order_by(RawSQL("nlevel(path)", []), "code"))


def seen_among(actor: User, permission: str, area_ids: Iterable[int]) -> frozenset[int]:
    """Of some areas those over which `actor` holds `permission` today."""
    return _seen_among(tuple(granted_area_ids(actor, permission)), frozenset(area_ids))


@once_a_page
def _seen_among(granted: tuple[int, ...], area_ids: frozenset[int]) -> frozenset[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seen.area_id FROM places_tree seen WHERE seen.area_id = ANY(%s) AND seen.path <@ ANY"
            " (ARRAY(SELECT path FROM places_tree WHERE area_id = ANY(%s)))",
            [list(area_ids), list(granted)],
        )
        return frozenset(row[0] for row in cursor.fetchall())


def names_in_full(area_ids: Iterable[int], *, language: str, always: bool = False) -> dict[int, str]:
    """What areas are called in a language; where another of their level has the same name (or `always`), with what is
    above them, up to the county.
    """
    own, other = ("name_zh", "name_en") if language.startswith("zh") else ("name_en", "name_zh")
    name = f"coalesce(nullif({{0}}.{own}, ''), {{0}}.{other})"
    shared = f"EXISTS (SELECT FROM places_tree o WHERE o.{own} = t.{own} AND t.{own} <> '' AND o.level = t.level AND o.area_id <> t.area_id)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.area_id, {name.format('t')}, CASE WHEN {'true' if always else shared} THEN ARRAY(SELECT"
            f" {name.format('a')} FROM places_tree a WHERE a.path @> t.path AND a.area_id <> t.area_id"
            " AND a.level IN ('township', 'county') ORDER BY nlevel(a.path) DESC) ELSE '{}' END"
            " FROM places_tree t WHERE t.area_id = ANY(%s)",
            [list(set(area_ids))],
        )
        return {key: ", ".join((called, *above)) for key, called, above in cursor.fetchall()}


def visible_areas(actor: User, permission: str) -> QuerySet[Tree]:
    """Today's tree as far as `actor` holds `permission` in it, former areas included."""
    sql, params = visible_area_ids_sql(actor, permission)
    return Tree.objects.filter(pk__in=RawSQL(sql, params))


def may(actor: User, permission: str, area_id: int) -> bool:
    """Whether `actor` holds `permission` over an area today."""
    granted = granted_area_ids(actor, permission)
    return bool(granted) and _lies_below(area_id, tuple(granted))


@once_a_page
def _lies_below(area_id: int, granted: tuple[int, ...]) -> bool:
    # One area: its way up is looked at, not all that lies below the grants.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {LIES_BELOW.format(area='%s', granted='%s')}",
            [area_id, list(granted)],
        )
        return bool(cursor.fetchone()[0])


def holders_over(permission: str, area_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Who holds a permission today over each of these areas: ids of active people by the area's id."""
    found: dict[int, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLDERS,
            {"areas": list(set(area_ids)), "roles": [str(r) for r in roles_with(permission)], "day": date.today()},
        )
        for area_id, user_id in cursor.fetchall():
            found.setdefault(area_id, set()).add(user_id)
    return {area_id: frozenset(users) for area_id, users in found.items()}


def require(actor: User, permission: str, area_id: int) -> None:
    """Refuses (access.not_granted) unless `actor` holds `permission` over the area today.

    An area that does not exist is refused in the same words, so that ids cannot be probed; and where the actor may not
    even see the area, pages answer as for a record that does not exist.
    """
    if may(actor, permission, area_id):
        return
    raise Refusal(
        "access.not_granted",
        record=say("area {area_id}", area_id=area_id),
        found=say(
            "{actor} has no role over this area that may do this: {roles}", actor=actor, roles=who_may(permission)
        ),
        expected=say("a role granted over the area or over one above it"),
        rule=say("what a person may see and do follows the areas granted to them"),
        todo=say("ask the administrator for the role, or a colleague who has it"),
        unseen=permission == "places.view" or not may(actor, "places.view", area_id),
    )


def area(actor: User, area_id: int) -> Tree:
    """One area of today's tree, if the actor may see it."""
    require(actor, "places.view", area_id)
    return Tree.objects.get(pk=area_id)


def children(actor: User, area_id: int, *, permission: str = "places.view") -> QuerySet[Tree]:
    """The areas right below one, today, by code; only those the actor may see."""
    return visible_areas(actor, permission).filter(parent_id=area_id, is_current=True).order_by("code")


def ancestors(actor: User, area_id: int) -> QuerySet[Tree]:
    """The way down to an area in today's tree, the region first, the area itself last; refuses one not visible."""
    require(actor, "places.view", area_id)
    above = RawSQL(
        "SELECT a.area_id FROM places_tree a JOIN places_tree b ON b.path <@ a.path WHERE b.area_id = %s",
        [area_id],
    )
    return Tree.objects.filter(pk__in=above).order_by(RawSQL("nlevel(path)", []))


def history(actor: User, area_id: int) -> QuerySet[AreaSpell]:
    """What an area was called and where it belonged, oldest first, withdrawn statements left out."""
    require(actor, "places.view", area_id)
    return AreaSpell.objects.filter(area_id=area_id, voided_at=None).order_by("starts_on")


def designations(actor: User, area_id: int, *, day: date | None = None) -> QuerySet[Designation]:
    """The lists an area stands or stood on; with `day`, those of that day."""
    require(actor, "places.view", area_id)
    found = Designation.objects.filter(area_id=area_id, voided_at=None).order_by("list", "starts_on")
    if day is not None:
        found = found.filter(starts_on__lte=day).exclude(ends_before__lte=day)
    return found


def designated_area_ids_sql(list_name: str, day: date) -> tuple[str, list[Any]]:
    """SQL of one column `area_id`, and its parameters: the areas on a list on a day, by its true dates."""
    sql = (
        "SELECT d.area_id FROM places_designation d WHERE d.list = %s AND d.voided_at IS NULL"
        " AND d.starts_on <= %s AND (d.ends_before IS NULL OR d.ends_before > %s)"
    )
    return sql, [list_name, day, day]


def predecessors(actor: User, area_id: int) -> QuerySet[Succession]:
    """The areas this one came from, newest first."""
    require(actor, "places.view", area_id)
    return Succession.objects.filter(successor_id=area_id, voided_at=None).order_by("-happened_on", "pk")


def successors(actor: User, area_id: int) -> QuerySet[Succession]:
    """The areas this one became or gave land to, newest first."""
    require(actor, "places.view", area_id)
    return Succession.objects.filter(predecessor_id=area_id, voided_at=None).order_by("-happened_on", "pk")


def area_by_code(code: str, *, level: str | None = None, day: date | None = None) -> int:
    """The id of the area a code meant on a day (today if None); refuses an unknown or ambiguous code.

    Codes are public; what happened in the area is not, and has its own permission.
    """
    day = day or date.today()
    found = AreaSpell.objects.filter(code=code, voided_at=None, starts_on__lte=day).exclude(ends_before__lte=day)
    if level is not None:
        found = found.filter(level=level)
    ids = list(found.values_list("area_id", flat=True)[:2])
    if len(ids) == 1:
        return ids[0]
    raise Refusal(
        "places.unknown_code",
        record=say("code {code}", code=code),
        found=say("several areas")
        if ids
        else say("no {level} of this code on {day}", level=Level(level).label if level else say("area"), day=day),
        expected=say("the code of one area valid on the day"),
        rule=say("a code means an area only between its dates"),
        todo=say("look the place up by name; its page lists the codes it had and when"),
    )


def tree_on(day: date, *, as_counted: bool = False) -> list[TreeRow]:
    """The whole tree as of a day; by true dates, or as the books of that day say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM places_tree_on(%s, %s)", [day, as_counted])
        return [TreeRow(*row) for row in cursor.fetchall()]


def ancestors_on(area_id: int, day: date) -> TreeRow | None:
    """An area with its ancestors' ids as of a day; None where it did not exist."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM places_tree_on(%s) WHERE area_id = %s", [day, area_id])
        row = cursor.fetchone()
    return TreeRow(*row) if row else None


def top_areas(actor: User) -> QuerySet[Tree]:
    """The areas granted to the actor themselves: where their part of the tree begins."""
    return Tree.objects.filter(pk__in=granted_area_ids(actor, "places.view")).order_by("code")


def named_like(actor: User, words: str, *, after: int = 0, limit: int = 50) -> QuerySet[Tree]:
    """Areas the actor may see whose name or code begins with `words`, in the order of their ids from `after` on."""
    like = Q(code__startswith=words) | Q(name_zh__contains=words) | Q(name_en__istartswith=words)
    return visible_areas(actor, "places.view").filter(like, pk__gt=after).order_by("pk")[:limit]


def children_counted(actor: User, area_id: int) -> QuerySet[Tree]:
    """The same as `children`, each with how many areas lie right below it."""
    below = RawSQL(
        "SELECT count(*) FROM places_tree below WHERE below.parent_id = places_tree.area_id AND below.is_current", []
    )
    return children(actor, area_id).annotate(below=below)


def name_of(area_id: int, *, language: str = "en") -> str:
    """An area's name as today's tree has it, for titles; names of areas are public."""
    row = Tree.objects.get(pk=area_id)
    return row.name_zh if language.startswith("zh") else row.name_en


def areas_named(area_ids: Iterable[int]) -> QuerySet[Tree]:
    """Today's rows of areas, for naming places in lists already restricted by permission; names and codes are public."""
    return Tree.objects.filter(pk__in=set(area_ids))
