"""Commands that read figures: figures, trace, compare, publish, catalogue, reference. They run as the local operator
and are logged.
"""

from pathlib import Path

import click

from karez.cli.answers import format_option, say_json, say_rows
from karez.cli.deeds import region_option, year_option
from karez.cli.program import NO, karez, working
from karez.kernel.counting import counted

# What `publish` names of what it wrote: where to begin, what is printed, what programs read.
_MAIN_FILES = (
    "index.html",
    "chapter.pdf",
    "chapter.zh.pdf",
    "chapter.docx",
    "chapter.zh.docx",
    "figures.xlsx",
    "figures.csv",
    "data.zip",
    "edition.json",
    "digests.txt",
)


@karez.command()
@click.argument("name", type=click.Choice(["ningxia-2009"]))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option(
    "--scale", type=int, default=1, show_default=True, help="How many times the people and the money movements."
)
@click.option("--seed", type=int, default=2009, show_default=True)
def reference(*, name: str, out: Path, scale: int, seed: int) -> None:
    """Writes the files a year would have sent: real places, synthetic people. The same seed writes the same bytes."""
    from karez.reference import write

    for path in write(out, seed=seed, scale=scale):
        click.echo(path)


@karez.command()
@region_option
@year_option
@click.option(
    "--by", "level", type=click.Choice(["region", "prefecture", "county", "township", "village"]), default="region"
)
@click.option("--figure", "ids", multiple=True, help="Only this figure (may be given again).")
@format_option
def figures(*, region: str, year: int, level: str, ids: tuple[str, ...], form: str) -> None:
    """Every figure of a year, for the region or by place."""
    with working():
        from karez.figures.queries import figures_for

        answer = figures_for(None, region, year, by=level, ids=list(ids) or None)
        if form == "json":
            say_json(answer)
        else:
            columns = ["id", "value", "unit", "place_name", "label", "as_of"]
            exact = ["id", "value", "state", "unit", "place", "place_name", "label", "as_of", "snapshot"]
            say_rows(answer["figures"], exact if form == "csv" else columns, form)


@karez.command()
@click.argument("figure_id")
@region_option
@year_option
@format_option
def trace(*, figure_id: str, region: str, year: int, form: str) -> None:
    """What is behind a figure: definition, SQL as run, snapshot, values by place, rows and vouchers."""
    with working():
        from karez.figures.queries import trace as trace_of

        answer = trace_of(None, figure_id, region, year)
        if form == "json":
            say_json(answer)
            return
        told = {k: v for k, v in answer["definition"].items() if v not in (None, "", [])}
        for word, value in {
            **told,
            "value": answer["value"],
            "sql": answer["sql"],
            "snapshot": answer["snapshot"],
        }.items():
            click.echo(f"{word:>12}: {value}", err=form == "csv")
        say_rows(answer["by_place"], list(answer["by_place"][0]) if answer["by_place"] else ["place"], form, "By place")
        rows = answer["rows"]["items"] if isinstance(answer["rows"], dict) else answer["rows"]
        if rows:
            say_rows(rows, list(rows[0]), form, "Rows behind it (first page)")
        if answer["transfers"]:
            say_rows(answer["transfers"], list(answer["transfers"][0]), form, "Vouchers of these rows")


@karez.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@region_option
@year_option
@format_option
def compare(*, file: Path, region: str, year: int, form: str) -> int:
    """Sets the printed figures of FILE beside the computed ones, figure by figure."""
    with working():
        from karez.cli.comparing import compare_file

        answer = compare_file(file, region, year, lambda words: click.echo(words, err=True))
        if form == "json":
            say_json(answer)
        else:
            say_rows(answer["figures"], ["id", "printed", "qualifier", "computed", "agrees", "why"], form)
            open_, differ = (sum(f["agrees"] is no for f in answer["figures"]) for no in (None, False))
            click.echo(
                f"{answer['agreeing']} of {answer['of']} agree; {differ} differ; {open_} have no definition yet",
                err=True,
            )
        return NO if any(f["agrees"] is False for f in answer["figures"]) else 0


@karez.command()
@region_option
@year_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option(
    "--edition", "number", type=int, default=None, help="Number of a signed edition; the newest signed one if left out."
)
def publish(*, region: str, year: int, out: Path, number: int | None) -> None:
    """Writes the chapter of a sealed year: a site that needs no server, PDF, Word, workbook, open data. Unsigned, it is
    marked so.
    """
    with working():
        from karez.publication.publishing import publish as publish_chapter

        paths = publish_chapter(region, year, out, number=number)
        click.echo(f"{out}: {counted(len(paths), 'file')}")
        names = {path.relative_to(out).as_posix() for path in paths}
        for name in _MAIN_FILES:
            if name in names:
                click.echo(f"  {name}")


@karez.command()
@format_option
def catalogue(*, form: str) -> None:
    """What every figure counts, how, and since when, from the declarations themselves."""
    with working():
        from karez.figures.queries import catalogue as definitions
        from karez.figures.queries import catalogue_text

        if form == "json":
            say_json({"figures": definitions()})
        elif form == "csv":
            rows = definitions()
            say_rows(rows, list(dict.fromkeys(key for row in rows for key in row)), form)
        else:
            click.echo(catalogue_text())
