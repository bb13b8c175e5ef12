"""The command `proof`: reads any chapter's figures and says which identities hold. Needs no database."""

from pathlib import Path

import click

from karez.cli.answers import format_option, say_json, say_rows
from karez.cli.program import NO, UNUSABLE, karez

_FORMS = ("csv", "xlsx", "json")


def _known_form(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower().lstrip(".") not in _FORMS:
        raise click.BadParameter("the name ends in .csv, .xlsx or .json, which says how to write it")
    return value


@karez.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Further relations to test."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_known_form,
    help="Write the whole answer to a .csv, .xlsx or .json file.",
)
@format_option
def proof(*, file: Path, rules: Path | None, out: Path | None, form: str) -> int:
    """Says of every identity in a chapter FILE (CSV or XLSX) whether it holds at the printed precision.

    Beside the verdicts it tells what units and kinds alone rule out: a share beyond 100 percent, a part larger than its
    whole (column part_of), a figure said again differently, persons added to attendances.
    """
    from karez.cli.progress import bar
    from karez.proofreader.proof import proof as prove

    with bar("Proof") as tell:
        result = prove(file, rules, lambda done, total: tell(f"{done:,} of {total:,}", done / max(total, 1)))
    if result.gb18030:
        click.echo(
            (
                f"Read as GB 18030, not UTF-8: {' and '.join(result.gb18030)}. If words look wrong, save the file as "
                "CSV UTF-8."
            ),
            err=True,
        )
    for words in result.told:
        click.echo(words, err=True)
    answer = result.as_dict()
    if out is not None:
        _write(out, result)
    if form == "json":
        say_json(answer)
    else:
        say_rows(answer["identities"], ["id", "formula", "printed", "computed", "verdict", "why"], form)
        if answer["relations"]:
            say_rows(answer["relations"], ["left", "relation", "right", "verdict", "why"], form)
        if answer["units"]:
            say_rows(answer["units"], ["line", "id", "found", "expected", "rule"], form, "Units")
        if answer["faults"]:
            say_rows(answer["faults"], ["line", "column", "found", "expected"], form, "Faults")
    if answer["faults"]:
        return UNUSABLE
    return 0 if result.sound else NO


def _write(out: Path, result: object) -> None:
    import django

    django.setup()  # the words of the file go through the catalogues of translations
    from karez.proofreader.export import export
    from karez.proofreader.proof import ProofResult

    assert isinstance(result, ProofResult)
    try:
        out.write_bytes(export(result, out.suffix.lower().lstrip(".")))
    except OSError as error:
        raise click.FileError(str(out), error.strerror or "cannot be written") from error
    click.echo(f"Written: {out}", err=True)
