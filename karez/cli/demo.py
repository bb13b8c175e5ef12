"""The main job on Ningxia's synthetic year: the files are written, loaded by one person, applied by another, the year
closed.

Holds no road of its own: every step is what an office does. Each step is skipped where it is already done, so a run
that was stopped goes on where it was.
"""

import csv
import json
import secrets
from datetime import date
from pathlib import Path

import click

from karez import __version__
from karez.access.models import User
from karez.access.queries import permissions_of
from karez.access.roles import Role
from karez.access.services import end_founding
from karez.cli.founding import load_places, person, region_area
from karez.cli.loading import Loaded, apply_batch, batch_of_file, load_file, sheet_named
from karez.cli.progress import bar
from karez.closing import services as closing
from karez.host.recovery import recover_all
from karez.kernel.counting import counted
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period, Region
from karez.places.models import Tree
from karez.publication import queries as editions
from karez.publication import services as publication
from karez.publication.publishing import publish
from karez.reference import attach_documents, write
from karez.system import paths

REGION, YEAR = "64", 2009
FOLDER = paths.VAR / "demo"
# sign-in name, name, role, code of the place granted
PEOPLE = (
    ("zhao", "Zhao Min (synthetic)", Role.REGIONAL_OFFICER, "640000"),
    ("qian", "Qian Lei (synthetic)", Role.FINANCE_OFFICER, "640000"),
    ("wang", "Wang Fang (synthetic)", Role.APPROVER, "640000"),
    ("zhou", "Zhou Jie (synthetic)", Role.AUDITOR, "640000"),
    ("wu", "Wu Ping (synthetic)", Role.STATISTICIAN, "640000"),
    ("chen", "Chen Bo (synthetic)", Role.ADMINISTRATOR, "640000"),
    ("li", "Li Na (synthetic)", Role.COUNTY_OFFICER, "640422"),
    ("sun", "Sun Wei (synthetic)", Role.TREASURER, "640422"),
    ("lu", "Lu Yan (synthetic)", Role.TOWNSHIP_OFFICER, "640422100"),
    ("he", "He Jun (synthetic)", Role.VILLAGE_OFFICER, "640422100207"),
)


def run() -> None:
    """Does what is not done yet of the main job, telling each step; then says where to look."""
    with bar("Places of Ningxia and Xinjiang"):
        load_places(REGION, None)
        load_places("65", None)
    people = _people()
    for line in recover_all():
        click.echo(line, err=True)
    if Period.objects.filter(year=YEAR, state="closed").exists():
        click.echo("The year 2009 is already closed.", err=True)
    else:
        for path, sheet in _files():
            _load(people, path, sheet)
        _close(people)
    _sign_off(people)
    _publish()
    _tell()


def _people() -> dict[str, User]:
    first_day = date(YEAR, 1, 1)
    if not Region.objects.exists():
        periods.found_region(
            area_id=region_area(REGION).pk,
            code=REGION,
            first_year=YEAR,
            controller="Poverty Alleviation Office of Ningxia (synthetic demonstration)",
            legal_basis="demonstration with synthetic data",
            complaint_body="the demonstration's ombudsperson",
            synthetic=True,
        )
    elif not periods.region().synthetic:
        raise Refusal(
            "cli.not_a_demo",
            record=periods.region().code,
            found="a region with real data",
            expected="an empty installation",
            rule="the demo writes synthetic data only where nothing else is",
            todo="set KAREZ_VAR to another folder",
        )
    areas = dict(Tree.objects.filter(code__in={code for *_, code in PEOPLE}).values_list("code", "area_id"))
    word = _password()
    people = {
        name: person(name, full_name, word, [(role, areas[code], first_day)]) for name, full_name, role, code in PEOPLE
    }
    end_founding()
    return people


def _password() -> str:
    """The demo's one password, made on this machine."""
    kept = paths.private_folder(FOLDER) / "password"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text("-".join(secrets.token_hex(2) for _ in range(4)))
    return kept.read_text()


def _files() -> list[tuple[Path, str]]:
    out, mark = FOLDER / "reference", FOLDER / "reference" / ".written"
    stamp = json.dumps({"version": __version__})
    if not mark.exists() or mark.read_text() != stamp:
        with bar("Writing the files a year would have sent"):
            write(out, seed=YEAR, scale=1)
            mark.write_text(stamp)
    with (out / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return [(out / row["file"], row["sheet"]) for row in csv.DictReader(file)]


def _load(people: dict[str, User], path: Path, sheet: str) -> None:
    if sheet == "documents":
        attach_documents(people["qian"], path)
        return
    sender = _who_may(people, sheet_named(sheet).send_permission, but="wang")
    found = batch_of_file(path, sheet)
    if found is not None and found.state == "applied":
        return
    with bar(f"{path.name}") as progress:
        loaded: Loaded = load_file(sender, path, sheet, progress=progress, batch=found)
        if loaded["faults"]:
            raise Refusal(
                "cli.demo_file",
                record=path.name,
                found=str(loaded["fault_rows"][:3]),
                expected="a file without faults",
                rule="the demo's files go the way of any file",
                todo="this is a defect of Karez: please report it",
            )
        counts = apply_batch(people["wang"], loaded["batch"], progress=progress)
    click.echo(
        f"  {path.name}: {counted(loaded['rows'], 'row')}; "
        + ", ".join(f"{what}: {n:,}" for what, n in counts.items()),
        err=True,
    )


def _who_may(people: dict[str, User], permission: str, *, but: str) -> User:
    return next(u for name, u in people.items() if name != but and permission in permissions_of(u))


def _close(people: dict[str, User]) -> None:
    with bar("Checking 2009") as progress:
        result = closing.prepare(people["zhao"], year=YEAR, progress=progress)
    for outcome in result.failing:
        click.echo(f"  check {outcome.name}: {outcome.failures:,}; {[tuple(r) for r in outcome.rows[:3]]}", err=True)
    with bar("Sealing 2009") as progress:
        snapshot = closing.sign(people["wang"], year=YEAR, progress=progress)
    click.echo(f"  the year 2009 is closed with snapshot {snapshot.name}", err=True)


def _sign_off(people: dict[str, User]) -> None:
    """The chapter is prepared, reviewed and signed by three people before it is public."""
    if editions.public_edition(YEAR) is not None:
        return
    with bar("Signing the chapter"):
        edition = publication.prepare_edition(people["wu"], year=YEAR)
        publication.review_edition(people["zhao"], edition.pk)
        publication.sign_edition(people["wang"], edition.pk)


def _publish() -> None:
    publish(REGION, YEAR, FOLDER / "published")


def _tell() -> None:
    click.echo("\nSign-ins (password of all: " + _password() + ")", err=True)
    for name, full_name, role, _ in PEOPLE:
        click.echo(f"  {name:6} {role.label:18} {full_name}", err=True)
    click.echo(
        "\nWorth a look:\n"
        "  1. the chapter                      /yearbook/64/2009/\n"
        "  2. one figure down to its vouchers  /yearbook/64/2009/mutual_funds.funds_2009/\n"
        "  3. the societies and their pots     /mutual-funds/\n",
        err=True,
    )
