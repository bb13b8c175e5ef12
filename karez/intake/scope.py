"""Over which places a person may act on a batch. Holds no states and writes nothing."""

from typing import Any

from django.db import connection

from karez.access.models import User
from karez.access.queries import granted_area_ids
from karez.access.rules import who_may
from karez.intake.models import Batch
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods.models import Region
from karez.places.queries import visible_area_ids_sql


def region_area_ids(actor: User, permission: str) -> list[int]:
    """The area of the region, which a sheet without an area speaks of; before its founding the areas granted to the
    actor.
    """
    region = Region.objects.first()
    return [region.area_id] if region else granted_area_ids(actor, permission)


def covered_sql(actor: User, permission: str) -> tuple[str, list[Any]]:
    """SQL condition on `intake_batch`: its areas are known and the actor holds the permission over all of them.

    Of a file whose rows could not be read no areas are known: it belongs to who holds the permission over the whole
    region.
    """
    allowed, params = visible_area_ids_sql(actor, permission)
    granted = granted_area_ids(actor, permission)
    whole = bool(granted) and set(granted).issuperset(region_area_ids(actor, permission))
    return (
        (
            "((EXISTS (SELECT FROM intake_batcharea a WHERE a.batch_id = intake_batch.id) AND NOT EXISTS ("
            "SELECT FROM intake_batcharea a WHERE a.batch_id = intake_batch.id"
            f" AND a.area_id <> ALL (%s) AND a.area_id NOT IN ({allowed})))"
            " OR (%s AND intake_batch.state IN ('received', 'faulty')"
            " AND NOT EXISTS (SELECT FROM intake_batcharea a WHERE a.batch_id = intake_batch.id)))"
        ),
        [granted, *params, whole],
    )


def covers(actor: User, permission: str, batch: Batch) -> bool:
    """Whether the actor holds the permission over every place the batch speaks of."""
    condition, params = covered_sql(actor, permission)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM intake_batch WHERE id = %s AND {condition}", [batch.pk, *params])
        return cursor.fetchone() is not None


def require_over_batch(actor: User, permission: str, batch: Batch) -> None:
    """Refuses (access.not_granted) unless the actor holds the permission over every place the batch speaks of."""
    if covers(actor, permission, batch):
        return
    raise Refusal(
        "access.not_granted",
        record=str(batch),
        found=say(
            "{actor} has no role over some of its places that may do this: {roles}",
            actor=actor,
            roles=who_may(permission),
        ),
        expected=say("a role over all of them"),
        rule=say("what a person may see and do follows the areas granted to them"),
        todo=say("ask a colleague who has the role over them, or for a file by area"),
    )
