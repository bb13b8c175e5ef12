"""What the console's commands of closing do: call the room's verbs and tell what they answer. Holds no rules."""

from collections.abc import Mapping

import click

from karez.access.models import User
from karez.cli.progress import bar
from karez.closing import services as closing
from karez.closing.queries import check_region


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
