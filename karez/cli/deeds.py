"""Commands that write records: load, check again, confirm, apply, refuse, withdraw, close, sign, reopen, recover. Each
names a user with the page's permissions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from karez.cli.answers import format_option, say_json, say_rows
from karez.cli.program import NO, UNUSABLE, YEAR, karez, working

if TYPE_CHECKING:
    from karez.cli.loading import Loaded

region_option = click.option("--region", required=True, help="Code of the region, for example 64.")
year_option = click.option("--year", type=YEAR, required=True)
by_option = click.option("--by", required=True, metavar="USER", help="Sign-in name of the person who does it.")


@karez.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sheet", required=True, help="Kind of file; `karez sheets` lists them.")
@by_option
@format_option
def load(*, files: tuple[Path, ...], sheet: str, by: str, form: str) -> int:
    """Stages and checks FILES; shows counts and totals, or every fault by row and column."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.loading import load_file

        return _tell_loaded([load_file(user_named(by), path, sheet) for path in files], form)


@karez.command()
@click.argument("batch", type=int)
@by_option
@format_option
def check_again(*, batch: int, by: str, form: str) -> int:
    """Checks BATCH again from its kept file: after records changed, or where a crash emptied its staged rows."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.loading import check_again as check

        return _tell_loaded([check(user_named(by), batch)], form)


def _tell_loaded(results: "Sequence[Loaded]", form: str) -> int:
    from karez.cli.loading import in_words
    from karez.kernel.counting import counted

    faulty = any(r["faults"] for r in results)
    if form == "json":
        say_json({"batches": results})
        return UNUSABLE if faulty else 0
    told = [in_words(r) for r in results]
    say_rows(told, ["batch", "file", "state", "rows", "faults", "questions", "notices", "totals"], form)
    for one in told:
        if one["fault_rows"]:
            say_rows(one["fault_rows"], ["row", "column", "found", "expected", "rule", "todo"], form)
        if one["question_rows"]:
            say_rows(one["question_rows"], ["row", "column", "found", "expected", "rule", "asks", "todo"], form)
    for result in results:
        for notice in result["not_judged"]:
            click.echo(f"Batch {result['batch']}, not judged because of the faults: {notice['found']}.", err=True)
        if result["questions"]:
            like, them, they = ("looks", "it", "it is") if result["questions"] == 1 else ("look", "them", "they are")
            click.echo(
                f"Batch {result['batch']}: {counted(result['questions'], 'row')} {like} like something already "
                f"there. Leave {them} out and load the file"
                f" again, or its sender confirms that {they} meant: karez confirm {result['batch']} --by SENDER",
                err=True,
            )
        elif not result["faults"]:
            click.echo(
                f"Batch {result['batch']}: another person applies it: karez apply {result['batch']} --by OTHER",
                err=True,
            )
    if faulty:
        click.echo("Correct the file and load it again; nothing of it was recorded.", err=True)
    return UNUSABLE if faulty else 0


@karez.command()
@click.argument("batch", type=int)
@by_option
def confirm(*, batch: int, by: str) -> None:
    """Says, as the sender of a checked BATCH, that rows which look like others are meant."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.loading import confirm_batch

        click.echo(confirm_batch(user_named(by), batch), err=True)


@karez.command()
@click.argument("batch", type=int)
@by_option
@click.option("--refuse", "reason", default=None, metavar="REASON", help="Refuse the batch instead, with this reason.")
def apply(*, batch: int, by: str, reason: str | None) -> None:
    """Makes a checked BATCH into records, as another person than its sender; or refuses it as a whole."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.loading import apply_batch, refuse_batch

        actor = user_named(by)
        counts = apply_batch(actor, batch) if reason is None else refuse_batch(actor, batch, reason)
        click.echo(", ".join(f"{what}: {n:,}" for what, n in counts.items()) or "Refused.", err=True)


@karez.command()
@click.argument("batch", type=int)
@by_option
@click.option("--reason", required=True)
def withdraw(*, batch: int, by: str, reason: str) -> None:
    """Takes an applied BATCH back, if nothing was built on it; needs a second person."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.loading import withdraw_batch

        click.echo(withdraw_batch(user_named(by), batch, reason), err=True)


@karez.command()
@click.argument("name", required=False)
@click.option(
    "--template", "target", type=click.Path(dir_okay=False), help="Write a blank workbook of NAME to this file."
)
@format_option
def sheets(*, name: str | None, target: str | None, form: str) -> None:
    """Lists the kinds of file that can be loaded, with their columns; of the kind NAME alone where one is given."""
    with working():
        from karez.cli.loading import SHEET_COLUMNS, codes_in_words, sheet_rows, write_template

        if target is not None:
            if name is None:
                raise click.UsageError("--template needs the NAME of a kind of file")
            click.echo(write_template(name, Path(target)), err=True)
            return
        rows = sheet_rows(name)
        if form == "json":
            say_json({"sheets": rows})
        else:
            say_rows([{**row, "codes": codes_in_words(row["codes"])} for row in rows], SHEET_COLUMNS, form)


@karez.command()
@click.argument("name", required=False)
@format_option
def rule(*, name: str | None, form: str) -> None:
    """Lists the rules records must keep; prints the SQL of the rule NAME, as the database asks it of every statement."""
    with working():
        from karez.kernel.refusal import Refusal
        from karez.records.rules import as_sql, declared

        every = [(ruled, one) for ruled in declared().values() for one in ruled.rules]
        if name is None:
            words = ("table", "rule", "column", "together", "expected")
            rows = [
                {
                    "table": ruled.table,
                    "rule": one.name,
                    "column": one.column,
                    "together": ", ".join(one.key),
                    "expected": str(one.expected),
                }
                for ruled, one in every
            ]
            say_rows(rows, words, form)
            return
        found = [(ruled, one) for ruled, one in every if one.name == name]
        if not found:
            raise Refusal(
                "not_found.rule",
                record=f"rule {name}",
                found="no rule of this name",
                expected=", ".join(sorted({one.name for _ruled, one in every})),
                rule="rules are declared by the rooms",
                todo="choose one of them",
            )
        for ruled, one in found:
            click.echo(f"-- {ruled.table}: {one.expected}\n{as_sql(ruled, one)};")


@karez.command()
@region_option
@year_option
@by_option
@click.option("--provisional", is_flag=True, help="Only take a provisional snapshot for looking at.")
@click.option(
    "--accept", multiple=True, metavar="CHECK=REASON", help="Accept a failing check, with the reason, under your name."
)
def close(*, region: str, year: int, by: str, provisional: bool, accept: tuple[str, ...]) -> int:
    """Checks the year and drafts its figures; lists what fails. Signing is another person's."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.closing import prepare_close

        return (
            0 if prepare_close(user_named(by), region, year, provisional, dict(a.split("=", 1) for a in accept)) else NO
        )


@karez.command()
@region_option
@year_option
@by_option
def sign(*, region: str, year: int, by: str) -> None:
    """Seals a prepared year: checks again, freezes the figure tables, closes. Needs another person than the preparer."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.closing import sign_close

        click.echo(f"Year {year} is closed. Snapshot {sign_close(user_named(by), region, year)}", err=True)


@karez.command()
@region_option
@year_option
@by_option
@click.option("--with", "second", required=True, metavar="USER", help="The second person.")
@click.option("--reason", required=True)
def reopen(*, region: str, year: int, by: str, second: str, reason: str) -> None:
    """Reopens the last closed year, by two people with a reason; the sealed snapshot is kept."""
    with working():
        from karez.access.queries import user_named
        from karez.cli.closing import reopen_year

        reopen_year(user_named(by), user_named(second), region, year, reason)
        click.echo(f"Year {year} is open again; its old snapshot is kept.", err=True)


@karez.command()
def recover() -> None:
    """Takes up what a crash interrupted: loading, applying, closing. Starting the site does the same."""
    with working():
        from karez.host.recovery import recover_all

        for line in recover_all() or ["Nothing was left in the middle."]:
            click.echo(line, err=True)


@karez.command()
@click.option(
    "--published",
    multiple=True,
    metavar="YEAR=FOLDER",
    help="Compare published files with the year's signed edition too.",
)
@format_option
def verify(*, published: tuple[str, ...], form: str) -> int:
    """Proves what is sealed, booked, kept, signed and installed; closed years are taken from the records again and
    compared.
    """
    folders = {
        int(year): Path(folder) for year, _, folder in (one.partition("=") for one in published) if year.isdecimal()
    }
    if len(folders) != len(published):
        raise click.BadParameter("write YEAR=FOLDER, for example 2009=/srv/site", param_hint="--published")
    with working():
        from karez.host.verifying import BLIND, verify_all

        rows = verify_all(published=folders)
        if form == "json":
            say_json({"checks": rows, "not_found": BLIND})
        else:
            say_rows(rows, ["what", "good", "told"], form)
            click.echo(BLIND, err=True)
        return 0 if all(row["good"] for row in rows) else NO
