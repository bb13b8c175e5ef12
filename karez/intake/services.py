"""The verbs of a batch: receive, stage, apply, refuse, withdraw; and what a start does with work left lying.

Whoever works from a page, from the console or as a job calls the same functions. `stage` and `run_apply` may be killed
at any moment and called again: staging starts afresh from the kept file, applying is one transaction with the change of
state. Only one process works on a batch at a time. Knows no room: what a row becomes is the sheet's own affair.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, BinaryIO

import psycopg
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.timezone import localtime
from procrastinate.contrib.django import app as job_app

from karez.access.models import User
from karez.access.queries import granted_area_ids
from karez.access.rules import who_may
from karez.intake import limits, references, registry, rules, telling, vault
from karez.intake.loading import load
from karez.intake.models import Batch, State
from karez.intake.plain import Notices, prepare
from karez.intake.retention import require_kept
from karez.intake.scope import covers, region_area_ids, require_over_batch
from karez.kernel.messages import Listing, Number, kept, kept_in, read, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying, Check, Sheet
from karez.periods.models import Region
from karez.records import rules as record_rules
from karez.system import database, sessions

_LOCK_CLASS = 4712  # one advisory lock a batch, held by the process that works on it
STAGE_JOB, APPLY_JOB = "karez.intake.stage_batch", "karez.intake.apply_batch"
Report = Callable[[str, int], None]


def receive(
    actor: User,
    *,
    sheet: str,
    file_name: str,
    stream: BinaryIO | Iterable[bytes],
    queue: bool = False,
    token: str = "",
    keep_days: int = limits.KEEP_DAYS,
) -> Batch:
    """Takes a file in, encrypted and without denied columns; returns its batch, to be staged (by a job where `queue`).

    Refuses who may send this sheet nowhere, what cannot be read, what is too large, and the same file a second time;
    files of two forms are not the same (`token`).
    """
    declared = registry.sheet_named(sheet)
    require_sender(actor, declared)
    with vault.scratch_folder() as folder:
        source = folder / "received"
        vault.write(source, _bounded(stream))
        notices = Notices(identity=telling.holds_identity(declared))
        digest, size = telling.digest_of(declared, source, token), source.stat().st_size
        _refuse_known(declared, digest)
        kept = vault.put_file(prepare(source, folder, declared, notices))
    try:
        return _record(actor, declared, file_name, digest, size, kept, notices, queue, keep_days)
    except BaseException:
        vault.delete(kept.ref)
        raise


def stage(batch_id: int, *, progress: Report | None = None, again: bool = False) -> Batch:
    """Types, checks and stages a batch; afterwards it is checked or faulty. May be called again after any kill.

    A batch already checked or faulty is left as it is unless `again`. Returns at once where another process works on
    it.
    """
    to_do = {State.RECEIVED, State.STAGING} | ({State.CHECKED, State.FAULTY} if again else set())
    with _alone(batch_id) as mine:
        batch = _batch(batch_id)  # as it is now that nobody else works on it
        if mine and batch.state in to_do:
            with _trouble_noted(batch_id), _outside_progress(batch_id, progress) as report:
                require_kept(batch)
                load(batch, registry.sheet_named(batch.sheet), report)
    return _batch(batch_id)


def check_again(actor: User, *, batch_id: int, queue: bool = False) -> Batch:
    """Stages a checked or faulty batch afresh from its kept file, against the records as they are now (by a job where
    `queue`).

    Also one whose last try came to nothing. For its sender, and for who may apply it; where it was never read, over the
    whole region. Refuses a batch whose file is no longer kept.
    """
    batch = _batch(batch_id)
    if actor.pk != batch.sender_id:
        require_over_batch(actor, registry.sheet_named(batch.sheet).apply_permission, batch)
    require_kept(batch)
    if batch.state not in (State.CHECKED, State.FAULTY) and not batch.is_stuck:
        raise Refusal(
            "intake.wrong_state",
            record=str(batch),
            found=str(batch.state_in_words),
            expected=say("a batch checked before and not decided"),
            rule=say("a batch goes its way step by step"),
            todo=say("look at the batch again"),
        )
    if not queue:
        return stage(batch_id, again=True)
    job_app.configure_task(STAGE_JOB).defer(batch_id=batch_id, again=True)
    return batch


def apply(actor: User, *, batch_id: int, queue: bool = False, progress: Report | None = None) -> Batch:
    """Decides that a checked batch is applied, and applies it: at once, or by a job where `queue`."""
    with transaction.atomic():
        decided = decide(actor, batch_id=batch_id)
        if queue:
            job_app.configure_task(APPLY_JOB).defer(batch_id=batch_id)
    return decided if queue else run_apply(batch_id, progress=progress)


def decide(actor: User, *, batch_id: int) -> Batch:
    """Decides that a checked batch is applied; the work itself is `run_apply`.

    Refuses the sender, whoever lacks the sheet's permission over any place the rows speak of, and a batch whose sender
    may no longer send rows of these places.
    """
    batch = _batch(batch_id)
    sheet = registry.sheet_named(batch.sheet)
    require_over_batch(actor, sheet.apply_permission, batch)
    if actor.pk == batch.sender_id:
        raise Refusal(
            "intake.same_person",
            record=str(batch),
            found=say("{actor} sent it", actor=actor),
            expected=say("another person to apply it"),
            rule=say("one person sends a file, another applies it"),
            todo=say("ask a colleague with the permission"),
        )
    _require_sender_still(batch, sheet)
    _call("intake_decide", str(batch), batch_id, actor.pk)
    return _batch(batch_id)


def confirm(actor: User, *, batch_id: int) -> Batch:
    """Says, as the sender of a checked batch, that the rows asked about are meant; the approver sees it. Refuses
    anybody else.
    """
    batch = _batch(batch_id)
    if actor.pk != batch.sender_id:
        raise Refusal(
            "intake.to_be_confirmed",
            record=str(batch),
            found=say("{actor} did not send it", actor=actor),
            expected=say("its sender"),
            rule=say("only the sender knows whether the rows are meant"),
            todo=say("ask the sender to confirm them"),
        )
    _call("intake_confirm", str(batch), batch_id, actor.pk)
    return _batch(batch_id)


def run_apply(batch_id: int, *, progress: Report | None = None) -> Batch:
    """Writes the records of a batch whose applying was decided: all of them and its new state, or nothing.

    Called again, or while another process does it, it changes nothing. What refuses is told and noted on the batch.
    """
    with _alone(batch_id) as mine:
        batch = _batch(batch_id)  # as it is now that nobody else works on it
        if mine and batch.state == State.APPLYING:
            sheet = registry.sheet_named(batch.sheet)
            with _trouble_noted(batch_id), _outside_progress(batch_id, progress) as report:
                _require_sender_still(batch, sheet)
                _apply_now(batch, sheet, report)
    return _batch(batch_id)


def refuse(actor: User, *, batch_id: int, reason: str) -> Batch:
    """Refuses a batch as a whole, with a reason; the sender may so take back their own. Nothing of it is applied."""
    batch = _batch(batch_id)
    if actor.pk != batch.sender_id:
        require_over_batch(actor, registry.sheet_named(batch.sheet).apply_permission, batch)
    rules.check_reason(str(batch), reason)
    _call("intake_refuse", str(batch), batch_id, actor.pk, reason)
    return _batch(batch_id)


def ask_withdrawal(actor: User, *, batch_id: int, reason: str) -> Batch:
    """Asks that an applied batch be taken back; another person does it by `withdraw`. Refuses what others build on."""
    batch = _batch(batch_id)
    sheet = registry.sheet_named(batch.sheet)
    _require_either(actor, sheet, batch)
    rules.check_reason(str(batch), reason)
    _way_back(batch, sheet)
    with connection.cursor() as cursor:
        _refuse_built_on(cursor, batch, sheet)
    _call("intake_ask_withdrawal", str(batch), batch_id, actor.pk, reason)
    return _batch(batch_id)


def withdraw(actor: User, *, batch_id: int) -> Batch:
    """Takes an applied batch back as another asked: its records are voided and its state changes in one transaction.

    Refuses the person who asked, whoever may not apply the sheet there, and a batch on which something was built.
    """
    batch = _batch(batch_id)
    sheet = registry.sheet_named(batch.sheet)
    require_over_batch(actor, sheet.apply_permission, batch)
    take_back = _way_back(batch, sheet)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sessions.for_as_long_as_it_takes())
            _call("intake_withdrawn", str(batch), batch_id, actor.pk)
            _refuse_built_on(cursor, batch, sheet)
            take_back(_applying(cursor, batch, actor.pk, lambda _what, _percent: None))
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is judged at commit is told here
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except DatabaseError as error:
        told = refusal_in(error, str(batch))
        if told is None:
            raise
        raise told from error
    return _batch(batch_id)


def recover() -> list[int]:
    """At start: removes leftovers, and queues every batch left in the middle or without its rows; returns their
    numbers.
    """
    vault.clean_leftovers()
    left = []
    for batch in Batch.objects.filter(state__in=[State.RECEIVED, State.STAGING, State.APPLYING], trouble="").order_by(
        "pk"
    ):
        job = APPLY_JOB if batch.state == State.APPLYING else STAGE_JOB
        job_app.configure_task(job).defer(batch_id=batch.pk)
        left.append(batch.pk)
    for number in _without_their_rows():
        job_app.configure_task(STAGE_JOB).defer(batch_id=number, again=True)
        left.append(number)
    return left


def _without_their_rows() -> list[int]:
    """Checked batches whose staged rows a crash of the database server emptied, and whose file is still kept."""
    waiting = Batch.objects.filter(state=State.CHECKED, file_deleted_at=None).order_by("pk")
    with connection.cursor() as cursor:
        return [batch.pk for batch in waiting if _staged_rows(cursor, batch) != batch.row_count]


def _staged_rows(cursor: Any, batch: Batch) -> int:
    cursor.execute("SELECT intake_staged_rows(%s)", [batch.pk])
    return int(cursor.fetchone()[0])


# Receiving.


def _record(
    actor: User,
    sheet: Sheet,
    file_name: str,
    digest: str,
    size: int,
    kept: vault.Kept,
    notices: Notices,
    queue: bool,
    keep_days: int,
) -> Batch:
    name, keep_until = telling.file_name(sheet, file_name), date.today() + timedelta(days=keep_days)
    kept_digest = telling.keyed(kept.digest, identity=telling.holds_identity(sheet))
    mark = rules.mark_of(ref=kept.ref, kept_digest=kept_digest, digest=digest, sheet=sheet.name, sender_id=actor.pk)
    values = (
        sheet.name,
        name,
        digest,
        size,
        kept.ref,
        kept_digest,
        mark,
        keep_until,
        actor.pk,
        json.dumps(kept_in(notices.items)),
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT intake_receive(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", values)
            batch_id = cursor.fetchone()[0]
            if queue:
                job_app.configure_task(STAGE_JOB).defer(batch_id=batch_id)
    except IntegrityError:
        _refuse_known(sheet, digest)
        raise
    return _batch(batch_id)


def _bounded(stream: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    read = getattr(stream, "read", None)
    for block in iter(lambda: read(limits.MIB), b"") if read else stream:
        size += len(block)
        if size > limits.FILE_BYTES:
            raise Refusal(
                "intake.too_large",
                record=say("the file"),
                found=say("more than {size} MiB", size=Number(limits.FILE_BYTES // limits.MIB)),
                expected=say("at most {size} MiB", size=Number(limits.FILE_BYTES // limits.MIB)),
                rule=say("a file has a bounded size"),
                todo=say("send the file in parts, for example by county"),
            )
        yield block


def _refuse_known(sheet: Sheet, digest: str) -> None:
    known = (
        Batch.objects.filter(sheet=sheet.name, digest=digest)
        .exclude(state__in=[State.REFUSED, State.WITHDRAWN])
        .first()
    )
    if known is not None:
        raise Refusal(
            "intake.same_file",
            record=known.file_name,
            found=say(
                "the same file as {known}, received {received}, {state}",
                known=known,
                received=f"{localtime(known.received_at):%Y-%m-%d %H:%M}",
                state=known.state_in_words,
            ),
            expected=say("a file not sent before"),
            rule=say("a file is loaded once"),
            todo=say("look at that batch; to send it again, refuse or withdraw it first"),
            more={"batch": known.pk},
        )


def require_sender(actor: User, sheet: Sheet) -> None:
    """Refuses who holds the sheet's permission nowhere, or, where its rows are of the whole region, not over the
    region.
    """
    needed = [] if sheet.area_column else region_area_ids(actor, sheet.send_permission)
    held = set(granted_area_ids(actor, sheet.send_permission))
    if held and held.issuperset(needed):
        return
    raise Refusal(
        "access.not_granted",
        record=str(actor),
        found=say("no role over the region that may do this: {roles}", roles=who_may(sheet.send_permission))
        if held
        else say("no role that may do this: {roles}", roles=who_may(sheet.send_permission)),
        expected=say("such a role over the region") if needed else say("such a role over some area"),
        rule=say("what a person may do follows the roles granted to them"),
        todo=say("ask the administrator for the role, or a colleague who has it"),
    )


def _require_sender_still(batch: Batch, sheet: Sheet) -> None:
    """Refuses where the sender has lost the right to send since: the records would stand in the name of one who may
    not.
    """
    sender = User.objects.get(pk=batch.sender_id)
    if not covers(sender, sheet.send_permission, batch):
        raise Refusal(
            "intake.sender_without_right",
            record=str(batch),
            found=say(
                "{sender}, who sent it, has no role over some of its places that may do this: {roles}",
                sender=sender,
                roles=who_may(sheet.send_permission),
            ),
            expected=say("a sender with the right on the day the batch is applied"),
            rule=say("one with the right sends, another with the right applies"),
            todo=say("refuse the batch; a colleague with the role sends the file again"),
        )


# Applying and withdrawing.


def _way_back(batch: Batch, sheet: Sheet) -> Callable[[Applying], object]:
    """How records of this sheet are taken back; refuses a sheet without a way."""
    if sheet.withdraw is None:
        raise Refusal(
            "intake.no_withdrawal",
            record=str(batch),
            found=say("a batch of {label}", label=sheet.label),
            expected=say("a sheet that can be withdrawn"),
            rule=say("what is booked or built on is corrected, not taken back"),
            todo=say("void or reverse the wrong records one by one"),
        )
    return sheet.withdraw


def _apply_now(batch: Batch, sheet: Sheet, report: Report) -> None:
    assert batch.decided_by_id is not None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT intake_take(%s, 'applying')", [batch.pk])
        staged = _staged_rows(cursor, batch)
        if staged != batch.row_count:
            raise Refusal(
                "intake.stage_lost",
                record=str(batch),
                found=say("{staged} of {row_count} staged rows", staged=max(staged, 0), row_count=batch.row_count),
                expected=say("all of them"),
                rule=say("what was checked is what is applied"),
                todo=say(
                    "check the batch again (on its page, or with `karez check-again`): its kept file is "
                    "read anew; then approve it"
                ),
            )
        stage = references.resolve(cursor, sheet, f"staging.batch_{batch.pk}")
        counts = sheet.apply(_applying(cursor, batch, batch.decided_by_id, report, stage))
        cursor.execute("SELECT intake_applied(%s, %s)", [batch.pk, json.dumps(dict(counts))])


def _applying(cursor: Any, batch: Batch, by: int, report: Report, stage: str = "") -> Applying:
    region = Region.objects.first()
    return Applying(
        cursor=cursor,
        batch_id=batch.pk,
        stage=stage or f"staging.batch_{batch.pk}",
        sender_id=batch.sender_id,
        approver_id=by,
        first_open_day=region.first_open_day if region else date.min,
        progress=report,
        row_count=batch.row_count or 0,
    )


def _refuse_built_on(cursor: Any, batch: Batch, sheet: Sheet) -> None:
    params = {"batch_id": batch.pk, "sender_id": batch.sender_id, "today": date.today(), "first_open_day": None}
    for check in sheet.built_on:
        cursor.execute(_check_sql(check, batch), params)
        found = cursor.fetchone()
        if found is not None:
            raise Refusal(
                "intake.built_on",
                record=str(batch),
                found=read(found[1]),
                expected=check.expected,
                rule=check.rule,
                todo=check.todo or say("take back what was built on it first"),
            )


def _check_sql(check: Check, batch: Batch) -> str:
    return check.sql.replace("{stage}", f"staging.batch_{batch.pk}")


def _require_either(actor: User, sheet: Sheet, batch: Batch) -> None:
    try:
        require_over_batch(actor, sheet.send_permission, batch)
    except Refusal:
        require_over_batch(actor, sheet.apply_permission, batch)


# Working on a batch alone, and telling how far it is.


@contextmanager
def _alone(batch_id: int) -> Iterator[bool]:
    """Whether this process is the one to work on the batch; its lock goes with its connection, so no kill leaves one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, batch_id])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, batch_id])


@contextmanager
def _trouble_noted(batch_id: int) -> Iterator[None]:
    """What goes wrong is noted on the batch, which waits as before; a refusal of the database is told as a Refusal."""
    try:
        with transaction.atomic() if connection.in_atomic_block else _plain():
            yield
    except Refusal as error:
        _call("intake_failed", say("batch {batch_id}", batch_id=batch_id), batch_id, kept(error.told))
        raise
    except Exception as error:
        told = (
            refusal_in(error, say("batch {batch_id}", batch_id=batch_id)) if isinstance(error, DatabaseError) else None
        )
        if told is not None:
            _call("intake_failed", say("batch {batch_id}", batch_id=batch_id), batch_id, kept(told.told))
            raise told from error
        _call(
            "intake_failed",
            say("batch {batch_id}", batch_id=batch_id),
            batch_id,
            say("a fault of the program: {fault}", fault=type(error).__name__),
        )
        raise


@contextmanager
def _plain() -> Iterator[None]:
    yield


def refusal_in(error: DatabaseError, record: str) -> Refusal | None:
    """What the database refused in words for people; None where the error is a fault of program or machine."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    if cause.sqlstate and cause.sqlstate.startswith("KZ04"):
        return rules.not_in_state(cause, record)
    if (broken := record_rules.refusal_of(cause)) is not None:
        broken.record = Listing((record, broken.record))
        return broken
    if cause.sqlstate and (cause.sqlstate.startswith("KZ") or cause.sqlstate.startswith("23")):
        # Only the message: details of a broken constraint may show the row's values.
        detail = read(cause.diag.message_detail) if cause.sqlstate.startswith("KZ") else cause.diag.constraint_name
        return Refusal(
            "intake.not_applied",
            record=record,
            found=read(cause.diag.message_primary),
            expected=detail or "",
            rule=say("a batch is applied as a whole or not at all"),
            todo=say("correct the file or the records it meets, then send it again"),
        )
    return None


def _call(function: str, record: str, *values: Any) -> None:
    """Calls a function of this room in the database; its refusals become a Refusal."""
    marks = ", ".join(["%s"] * len(values))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}({marks})", values)
    except DatabaseError as error:
        told = refusal_in(error, record)
        if told is None:
            raise
        raise told from error


@contextmanager
def _outside_progress(batch_id: int, given: Report | None) -> Iterator[Report]:
    """A report that others see while the work is open, over a connection of its own: the work's own may be busy
    copying.
    """
    if given is not None:
        yield given
        return
    with psycopg.connect(database.conninfo(database.APP), autocommit=True) as outside:

        def report(what: str, percent: int) -> None:
            outside.execute(
                "INSERT INTO intake_progress (batch_id, percent, doing) VALUES (%s, %s, %s)"
                " ON CONFLICT (batch_id) DO UPDATE SET percent = excluded.percent, doing = excluded.doing, at = now()",
                [batch_id, percent, what],
            )

        try:
            report(say("starting"), 1)
            yield report
        finally:
            outside.execute("DELETE FROM intake_progress WHERE batch_id = %s", [batch_id])


def _batch(batch_id: int) -> Batch:
    found = Batch.objects.filter(pk=batch_id).first()
    if found is None:
        raise Refusal(
            "not_found",
            record=say("batch {batch_id}", batch_id=batch_id),
            found=say("no such batch"),
            expected=say("the number of a batch"),
            rule=say("batches are numbered as they are received"),
            todo=say("see the list of batches"),
        )
    return found
