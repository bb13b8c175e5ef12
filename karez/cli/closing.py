"""What the console's commands of closing do: call the room's verbs and tell what they answer. Holds no rules."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import click
from cryptography.exceptions import InvalidTag
from django.db import connection

from karez.access.models import User
from karez.cli.progress import bar
from karez.closing import services as closing
from karez.closing import snapshots, work
from karez.closing.declared import filled
from karez.closing.queries import check_region, unproved_snapshots
from karez.intake import services as intake
from karez.intake import vault
from karez.intake.models import Batch
from karez.ledger.checks import CHECKS as BOOK_CHECKS
from karez.notices.models import Document
from karez.places.services import refresh_tree_if_due


def prepare_close(actor: User, region: str, year: int, provisional: bool, accept: Mapping[str, str]) -> bool:
    """Checks and drafts; prints what fails; True where another person may sign."""
    check_region(region)
    if provisional:
        with bar("Provisional snapshot") as progress:
            snapshot = closing.provisional(actor, year=year, progress=progress)
        click.echo(f"Provisional snapshot {snapshot.name}", err=True)
        return True
    with bar(f"Checking {year}") as progress:
        result = closing.prepare(actor, year=year, progress=progress)
    for outcome in result.failing:
        click.echo(f"{outcome.name}: {outcome.label} ({outcome.failures:,})", err=True)
        for row in outcome.rows[:10]:
            click.echo("   " + " | ".join(str(cell) for cell in row), err=True)
    for name, reason in accept.items():
        closing.accept_failure(actor, year=year, check=name, reason=reason)
    left = [o.name for o in result.failing if o.stands_in_the_way and o.name not in accept]
    click.echo("Another person may sign." if not left else f"In the way: {', '.join(left)}", err=True)
    return not left


def sign_close(actor: User, region: str, year: int) -> str:
    """Seals the year; returns the snapshot's name."""
    check_region(region)
    with bar(f"Sealing {year}") as progress:
        return str(closing.sign(actor, year=year, progress=progress).name)


def reopen_year(first: User, second: User, region: str, year: int, reason: str) -> None:
    """Opens the last closed year again."""
    check_region(region)
    closing.reopen(first, second, year=year, reason=reason)


def recover_all() -> list[str]:
    """Takes up what a crash interrupted in closing and in intake; returns sentences."""
    queued = [f"batch {number}: queued again" for number in intake.recover()]
    return [*closing.recover(), *work.take_up(), *queued]


def take_up() -> None:
    """What every start of the site does first: recover, and renew today's tree where a change was dated ahead."""
    for line in recover_all():
        click.echo(line, err=True)
    refresh_tree_if_due()


def verify_all() -> list[dict[str, Any]]:
    """Every snapshot's digests, and every check of the rooms that reads live books; rows of what, good, told."""
    rows = []
    for snapshot in snapshots.existing():
        try:
            snapshots.verify(snapshot)
            rows.append({"what": f"snapshot {snapshot.name}", "good": True, "told": f"{snapshot.rows:,} rows, digests agree"})
        except snapshots.Damaged as damage:
            rows.append({"what": f"snapshot {snapshot.name}", "good": False, "told": str(damage)})
    rows += [{"what": what, "good": False, "told": why} for what, why in unproved_snapshots()]
    return [*rows, *_books(), _kept_files()]


def _books() -> list[dict[str, Any]]:
    """The ledger's own checks of balances, totals and numbers, as of today."""
    today, rows = date.today(), []
    for check in BOOK_CHECKS:
        if check.name in ("ledger_trial_balance", "ledger_totals", "ledger_numbers"):
            with connection.cursor() as cursor:
                cursor.execute(filled(check.sql, year=today.year, as_of=today))
                wrong = cursor.fetchall()
            told = f"{len(wrong):,} wrong, first: {wrong[0][:3]}" if wrong else "none wrong"
            rows.append({"what": check.label, "good": not wrong, "told": told})
    return rows


def _kept_files() -> dict[str, Any]:
    """Whether every kept file is there and opens with this installation's key."""
    refs = [*Batch.objects.filter(file_deleted_at=None).values_list("vault_ref", flat=True)]
    refs += Document.objects.values_list("vault_ref", flat=True)
    bad = []
    for ref in refs:
        try:
            for _ in vault.chunks(ref):
                pass
        except (OSError, InvalidTag):
            bad.append(ref)
    told = f"{len(bad):,} of {len(refs):,} missing or not opening, first: {bad[0]}" if bad else f"{len(refs):,} open"
    return {"what": "kept files and documents", "good": not bad, "told": told}
