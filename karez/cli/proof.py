"""The command `proof`: reads any chapter's figures and says which identities hold. Needs no database."""

from pathlib import Path

import click

from karez.cli.answers import format_option, say_json, say_rows
from karez.cli.program import NO, UNUSABLE, karez


@karez.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Further relations to test.")
@format_option
def proof(*, file: Path, rules: Path | None, form: str) -> int:
    """Says of every identity in a chapter FILE whether it holds at the printed precision."""
    from karez.yearbook.proof import proof as prove

    answer = prove(file, rules).as_dict()
    if form == "json":
        say_json(answer)
    else:
        say_rows(answer["identities"], ["id", "formula", "printed", "computed", "verdict", "why"], form)
        if answer["relations"]:
            say_rows(answer["relations"], ["left", "relation", "right", "verdict"], form)
        if answer["faults"]:
            say_rows(answer["faults"], ["line", "column", "found", "expected"], form, "Faults")
    if answer["faults"]:
        return UNUSABLE
    failed = any(i["verdict"] == "fail" for i in answer["identities"])
    return NO if failed or any(r["verdict"] == "broken" for r in answer["relations"]) else 0
