"""How long kept files stay: until their day, or until a person in them is erased. Digests and batches stay. Decides no
batch.
"""

from collections.abc import Callable, Collection
from datetime import date

from django.db import connection, transaction
from django.db.models import Q

from karez.access.models import User
from karez.intake import registry, rules, vault
from karez.intake.models import Batch, BatchArea, Fault, State
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet
from karez.kernel.spelling import folded_name_sql
from karez.places.queries import visible_area_ids_sql

Forget = Callable[[int, bool], None]

_DONE = (
    State.APPLIED,
    State.REFUSED,
    State.WITHDRAWN,
    State.FAULTY,
)  # a faulty file is never applied: another one is sent


def delete_old_files(today: date) -> int:
    """Deletes the kept files whose day has come, except of batches still waiting; returns how many.

    Also those of files forgotten early, should a kill have come between the record and the deletion.
    """
    old = list(Batch.objects.filter(delete_file_on__lte=today, file_deleted_at=None, state__in=_DONE))
    for batch in old:
        delete_file(batch)
    for ref in Batch.objects.filter(file_deleted_at__isnull=False, delete_file_on__gte=today).values_list(
        "vault_ref", flat=True
    ):
        vault.delete(ref)
    return len(old)


def delete_file(batch: Batch) -> None:
    """Deletes the kept file of one batch whose day has come and that waits for nobody."""
    vault.delete(batch.vault_ref)
    _mark("intake_file_deleted", batch.pk)


def forget_files_of(
    *,
    area_ids: Collection[int],
    number_hash: bytes | None,
    name_hash: bytes | None,
    words: Collection[str] = (),
    forget: Forget,
) -> list[int]:
    """Deletes at once every kept file that may hold a person of these areas; returns the batches. Inside a transaction.

    These are the files of sheets with identity columns that speak of one of the areas, or in which a row's area or
    column could not be read, or that were never read. Refuses while a batch that may hold the person waits: one with
    the number or the name in its rows, or not read yet and sent by somebody who may enter rows of these areas; no other
    batch is in the way. The files go when the transaction is committed, and at once what was kept of them in the clear:
    names, notices, words of faults. Of files of other sheets that goes where one of `words` (the person's name and
    numbers) stands in it; a checked one is in the way. `forget` is told of each batch: its number, and whether its file
    goes or its words alone; the caller marks them in the database.
    """
    sheets = {s.name: s for s in registry.sheets().values() if any(column.identity for column in s.columns)}
    kept = Batch.objects.filter(sheet__in=sheets, file_deleted_at=None)
    for batch in kept.exclude(state__in=_DONE):
        if batch.state in (State.CHECKED, State.APPLYING):
            in_the_way = _is_staged(batch, area_ids, number_hash, name_hash)
        else:
            in_the_way = _reaches(batch, sheets[batch.sheet], area_ids)
        if in_the_way:
            raise _waiting(batch)
    # Asked apart: joined, every fault of a batch would stand beside every area of it.
    unread = Fault.objects.filter(rule__in=("area", "missing_column", *rules.UNREAD)).values("batch_id")
    told, there = (
        BatchArea.objects.values("batch_id"),
        BatchArea.objects.filter(area_id__in=list(area_ids)).values("batch_id"),
    )
    gone = list(kept.filter(Q(pk__in=there) | Q(pk__in=unread) | ~Q(pk__in=told), state__in=_DONE))
    for batch in gone:
        forget(batch.pk, True)
        transaction.on_commit(lambda ref=batch.vault_ref: vault.delete(ref))  # type: ignore[misc]
    _forget_words(words, forget)
    return [batch.pk for batch in gone]


def _forget_words(words: Collection[str], forget: Forget) -> None:
    with connection.cursor() as cursor:
        cursor.execute(telling_sql(), {"words": list(words)})
        found = [row[0] for row in cursor.fetchall()]
    for batch in Batch.objects.filter(pk__in=found).exclude(state__in=[State.STAGING, State.APPLYING]).order_by("pk"):
        if batch.state == State.CHECKED:  # somebody is to decide by what was noticed
            raise _waiting(batch)
        forget(batch.pk, False)


def telling_sql() -> str:
    """SQL: the batches in whose words one of `words` stands, however it is spelt. What batches say is read once, what
    their faults say once.

    OFFSET 0 keeps the planner from folding a text anew for every word.
    """
    folded, said = folded_name_sql("told"), "EXISTS (SELECT FROM word WHERE strpos(text.folded, word.folded) > 0)"
    return f"""
WITH word AS MATERIALIZED (SELECT folded FROM (SELECT {folded_name_sql("w")} AS folded
    FROM unnest(%(words)s::text[]) w) f WHERE length(folded) > 1)
SELECT b.id FROM intake_batch b WHERE EXISTS (SELECT FROM (SELECT {folded} AS folded FROM (
    SELECT b.file_name UNION ALL SELECT b.trouble UNION ALL SELECT n->>'found' FROM jsonb_array_elements(b.notices) n
    UNION ALL SELECT h.value FROM jsonb_each_text(b.headings) h) one (told) OFFSET 0) text WHERE {said})
UNION SELECT batch_id FROM (SELECT batch_id, {folded} AS folded FROM (
    SELECT DISTINCT batch_id, unnest(ARRAY[found, "column"]) AS told FROM intake_fault) f OFFSET 0) text WHERE {said}"""


def require_kept(batch: Batch) -> None:
    """Refuses a batch whose file is no longer there to be read again."""
    if batch.file_deleted_at is not None:
        raise Refusal(
            "intake.file_deleted",
            record=str(batch),
            found=say("its file was deleted on {day}", day=f"{batch.file_deleted_at:%Y-%m-%d}"),
            expected=say("a file still kept"),
            rule=say("a file is kept until its day, or until a person in it is erased"),
            todo=say("send the file again"),
        )


def _is_staged(batch: Batch, area_ids: Collection[int], number_hash: bytes | None, name_hash: bytes | None) -> bool:
    """Whether a checked batch has a row of this number; or of this name, where row or person has no number.

    Where the staged rows are gone (a crash of the server), whether it speaks of one of the areas.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_staged_rows(%s)", [batch.pk])
        if cursor.fetchone()[0] < (batch.row_count or 1):
            return batch.areas.filter(area_id__in=list(area_ids)).exists()
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM staging.batch_{batch.pk} WHERE number_hash = %(number)s"
            " OR (name_hash = %(name)s AND (number_hash IS NULL OR %(number)s::bytea IS NULL)))",
            {"number": number_hash, "name": name_hash},
        )
        return bool(cursor.fetchone()[0])


def _reaches(batch: Batch, sheet: Sheet, area_ids: Collection[int]) -> bool:
    """Whether rows of these areas could become records by a batch not read yet: its sender may enter them there."""
    if not sheet.area_column:
        return True
    areas, params = visible_area_ids_sql(User.objects.get(pk=batch.sender_id), sheet.send_permission)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM ({areas}) reach (area_id) WHERE area_id = ANY (%s))", [*params, list(area_ids)]
        )
        return bool(cursor.fetchone()[0])


def _waiting(batch: Batch) -> Refusal:
    return Refusal(
        "intake.waits",
        record=str(batch),
        found=f"{batch.state_in_words}",
        expected=say("no file waiting that may hold the person"),
        rule=say("who is erased does not come back by a file sent before"),
        todo=say("apply or refuse that batch first; one that could not be checked is refused"),
        more={"batch": batch.pk},
    )


def _mark(function: str, batch_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [batch_id])
