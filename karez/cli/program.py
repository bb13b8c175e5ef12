"""The command group and what all commands share: starting the database, naming the user, exit codes."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from karez import __version__
from karez.kernel.refusal import Refusal
from karez.system import clock

OK, NO, UNUSABLE = 0, 1, 2

# Refusals that speak of what was given, not of what is: they end with 2.
_OF_THE_INPUT = (
    "intake.unreadable",
    "intake.unknown_sheet",
    "intake.too_large",
    "places.bad_file",
    "access.unknown_user",
    "host.path_too_long",
    "host.path_closed",
    "host.path_sign",
    "host.no_backup_here",
    "host.port_taken",
    "host.served_already",
    "host.no_place",
    "host.time_zone",
    "host.database_address",
    "proofreader.chapter_file",
)

_EPILOG = """\b
First steps:
  karez demo                 a whole year of synthetic data, closed and published, then served on port 8000
  karez init                 a region of your own
\b
A year:
  karez sheets, karez sheets NAME        kinds of file; the columns of one
  karez load FILE --sheet S --by ANN     stage and check a file     (faults are listed by row and column)
  karez confirm BATCH --by ANN           rows that look like others are meant (only where the check asks)
  karez apply BATCH --by BO              another person makes it records
  karez close --region 64 --year 2009 --by ANN      check and draft
  karez sign  --region 64 --year 2009 --by BO       another person seals
  karez figures --region 64 --year 2009             every figure; karez trace ID shows what is behind one
  karez publish --region 64 --year 2009 --out DIR   the chapter as files
\b
Exit codes: 0 fine; 1 the answer is no; 2 unusable input. JSON goes to stdout alone, everything else to stderr.
"""


class Written(click.ParamType):
    """A year or a day among the words of a command, read as in files and forms."""

    def __init__(self, name: str, such_as: str) -> None:
        self.name, self.such_as = name, such_as

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """The year or day; refuses what can be read in two ways."""
        from karez.kernel.written import read_day, read_year

        if not isinstance(value, str):
            return value
        found = (read_year if self.name == "year" else read_day)(value)
        return (
            self.fail(f"'{value[:40]}' is no {self.name} such as {self.such_as}", parameter, context)
            if found is None
            else found
        )


YEAR, DAY = Written("year", "2009"), Written("day", "2009-03-31")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="karez")
def karez() -> None:
    """Karez: from the fund that pays to the household that is helped, from the record to the printed figure."""


def main() -> None:
    """The console entry: runs a command and turns refusals into exit code 1 with the whole answer on stderr."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    clock.keep()
    from karez.cli import deeds, figures, host, proof  # noqa: F401 - each registers its commands with the group

    try:
        code = karez.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped. Nothing half-done was kept; the next run goes on.", err=True)
        sys.exit(130)
    except click.ClickException as fault:
        fault.show()
        sys.exit(UNUSABLE)
    except Refusal as refusal:
        _tell(refusal)
        sys.exit(UNUSABLE if refusal.code in _OF_THE_INPUT else NO)
    except Exception as error:
        refusal_of = _database_refusal(error)
        if refusal_of is None:
            raise
        _tell(refusal_of)
        sys.exit(NO)
    sys.exit(code if isinstance(code, int) else OK)


def _tell(refusal: Refusal) -> None:
    for word in ("code", "record", "found", "expected", "rule", "todo"):
        if value := getattr(refusal, word):
            click.echo(f"{word:>9}: {value}", err=True)
    for value in refusal.more.values():
        for entry in value if isinstance(value, list) else []:
            told = (
                [f"{k} {v}" for k, v in entry.items() if not isinstance(v, list | dict)]
                if isinstance(entry, dict)
                else [str(entry)]
            )
            click.echo("           - " + ", ".join(told), err=True)


def _database_refusal(error: Exception) -> Refusal | None:
    import psycopg
    from django.apps import apps

    from karez.system import database

    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if (
        isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
    ):  # it never came to a connection, or lost it
        return database.unreachable(cause)
    if not apps.ready:
        return None
    from karez.web.middleware import refusal_of

    return refusal_of(error)


@contextlib.contextmanager
def working(*, migrate: bool = False) -> Iterator[None]:
    """Runs a block with the database up and Django ready; the embedded server is stopped by its last user.

    Where nothing is installed it refuses, and makes nothing, unless the command is one that founds (`migrate`).
    """
    from karez.host import installation
    from karez.system import database, paths, postgres

    paths.require_place()
    if migrate and not (database.url() or database.cluster().made):
        clock.require_known()  # before anything is made
    with contextlib.ExitStack() as stack:
        if not database.url():
            if not database.cluster().made and not migrate:
                raise installation.not_installed()
            stack.enter_context(postgres.held(database.cluster()))
        installation.require_ready(founding=migrate)
        _set_up(migrate=migrate)
        yield


def _set_up(*, migrate: bool) -> None:
    """Django after the key was checked and the clock set: its settings depend on both."""
    import django

    django.setup()  # before anything that holds models is imported
    from karez.host import install

    if migrate:
        install.bring_up()
