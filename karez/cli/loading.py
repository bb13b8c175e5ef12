"""What the console's commands of files do: receive, stage, apply, refuse, withdraw through intake's verbs. Holds no
checks.
"""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypedDict

from karez.access.models import User
from karez.intake import registry, services, totals
from karez.intake.models import Batch, Fault, Question, State
from karez.intake.queries import CORRECT
from karez.intake.rules import column_in_words
from karez.intake.telling import digest_of
from karez.kernel.counting import counted
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Sheet
from karez.periods.services import opened_days
from karez.places.models import Tree
from karez.records.template import workbook

Progress = Callable[[str, float], None]
FAULTS_SHOWN = 1000
SHEET_COLUMNS = ("sheet", "column", "kind", "required", "unit", "codes", "headers", "meaning")


class Loaded(TypedDict):
    """A loaded file as it is told: counts, totals, notices, and its faults (the first thousand)."""

    batch: int
    file: str
    state: str
    state_in_words: str
    rows: int
    faults: int
    questions: int
    notices: list[Any]
    not_judged: list[Any]
    totals: list[Any]
    fault_rows: list[dict[str, Any]]
    question_rows: list[dict[str, Any]]


def sheet_named(name: str) -> Sheet:
    """The declared sheet of that name; refuses an unknown one."""
    return registry.sheet_named(name)


def batch_of_file(path: Path, sheet: str) -> Batch | None:
    """The batch this very file came in as, if it did and was neither refused nor withdrawn."""
    live = Batch.objects.exclude(state__in=[State.REFUSED, State.WITHDRAWN])
    return live.filter(sheet=sheet, digest=digest_of(sheet_named(sheet), path)).first()


def load_file(
    actor: User, path: Path, sheet: str, *, progress: Progress | None = None, batch: Batch | None = None
) -> Loaded:
    """Receives (unless `batch` is it already) and stages a file; tells counts, totals and faults."""
    if batch is None:
        with path.open("rb") as stream:
            batch = services.receive(actor, sheet=sheet, file_name=path.name, stream=stream)
    return _told(services.stage(batch.pk, progress=_percent(progress)))


def check_again(actor: User, batch_id: int) -> Loaded:
    """Checks a batch again from its kept file, against the records as they are now; tells counts, totals and faults."""
    return _told(services.check_again(actor, batch_id=batch_id))


def _told(staged: Batch) -> Loaded:
    if staged.trouble:
        raise Refusal(
            "intake.trouble", record=str(staged), found=staged.trouble, todo="see the batch's page, then load it again"
        )
    faults = list(staged.faults.order_by("row_no", "id")[:FAULTS_SHOWN])
    return Loaded(
        batch=staged.pk,
        file=staged.file_name,
        state=staged.state,
        state_in_words=str(staged.state_in_words),
        rows=staged.row_count or 0,
        faults=staged.fault_count or 0,
        notices=[n for n in staged.notices if n["what"] != "not_judged"],
        not_judged=[n for n in staged.notices if n["what"] == "not_judged"],
        totals=list(staged.totals),
        questions=staged.question_count,
        fault_rows=[_row(staged, f) for f in faults],
        question_rows=[
            _row(staged, q) | {"asks": q.asks}
            for q in staged.questions.order_by("-asks", "row_no", "id")[:FAULTS_SHOWN]
        ],
    )


def _row(batch: Batch, found: Fault | Question) -> dict[str, Any]:
    return {
        "row": found.row_no,
        "column": found.column,
        "heading": column_in_words(batch.headings, found.column),
        "found": found.found,
        "expected": found.expected,
        "rule": found.rule,
        "todo": found.todo or str(CORRECT),
    }


def in_words(loaded: Loaded) -> dict[str, Any]:
    """The same for a table: state, notices and totals as words, columns as the file heads them."""
    notices = "; ".join(f"{str(n.get('what', '')).replace('_', ' ')}: {n.get('found', '')}" for n in loaded["notices"])
    sums = "; ".join(f"{t.label}: {t.number} {t.unit}".strip() for t in map(totals.told, loaded["totals"]))
    rows = {of: [row | {"column": row["heading"]} for row in loaded[of]] for of in ("fault_rows", "question_rows")}
    return {**loaded, **rows, "state": loaded["state_in_words"], "notices": notices, "totals": sums}


def apply_batch(actor: User, batch_id: int, *, progress: Progress | None = None) -> Mapping[str, int]:
    """Decides and applies a checked batch; an interrupted applying is finished. Returns what was written."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None and batch.state != State.APPLYING:
        services.decide(actor, batch_id=batch_id)
    done = services.run_apply(batch_id, progress=_percent(progress))
    if done.state != State.APPLIED:
        raise Refusal(
            "intake.trouble",
            record=str(done),
            found=done.trouble or done.state,
            expected="applied",
            todo="see the batch's page",
        )
    counts: Mapping[str, int] = done.counts
    return counts


def confirm_batch(actor: User, batch_id: int) -> str:
    """Says as its sender that the rows asked about are meant."""
    done = services.confirm(actor, batch_id=batch_id)
    return f"Batch {batch_id}: {counted(done.question_count, 'row')} confirmed; another person applies it."


def refuse_batch(actor: User, batch_id: int, reason: str) -> Mapping[str, int]:
    """Refuses a batch as a whole."""
    services.refuse(actor, batch_id=batch_id, reason=reason)
    return {}


def withdraw_batch(actor: User, batch_id: int, reason: str) -> str:
    """Asks for a withdrawal, or, where another person asked, does it; tells which."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None or batch.withdrawal_by_id in (None, actor.pk):
        services.ask_withdrawal(actor, batch_id=batch_id, reason=reason)
        return f"Batch {batch_id}: the withdrawal is asked for; another person does it with the same command."
    services.withdraw(actor, batch_id=batch_id)
    return f"Batch {batch_id} is withdrawn."


def sheet_rows(name: str | None = None) -> list[dict[str, Any]]:
    """Every column of one sheet, or of every one, for the list of what can be loaded."""
    sheets = registry.sheets().values() if name is None else [registry.sheet_named(name)]
    return [
        {
            "sheet": sheet.name,
            "column": column.name,
            "kind": column.kind.value,
            "required": column.required,
            "unit": column.unit,
            "headers": ", ".join(column.headers),
            "codes": dict(column.codes),
            "meaning": str(column.meaning),
        }
        for sheet in sheets
        for column in sheet.columns
    ]


def write_template(name: str, target: Path) -> str:
    """Writes the blank workbook of a sheet, with an example row; says where it stands."""
    opened = opened_days()
    areas = Tree.objects.filter(is_current=True).order_by("level", "code").distinct("level")
    made = workbook(
        registry.sheet_named(name),
        areas=dict(areas.values_list("level", "code")),
        day=opened.first_open if opened else date.today(),
    )
    target.write_bytes(made)
    return f"{target}: fill in its first page and load it with --sheet {name}"


def codes_in_words(codes: Mapping[str, str]) -> str:
    """What may be written in a column of codes: each code, and the other words that are read as it."""
    other: dict[str, list[str]] = {}
    for written, code in codes.items():
        other.setdefault(code, []).extend([written] if written != code else [])
    return "; ".join(f"{code} ({', '.join(words)})" if words else code for code, words in other.items())


def _percent(progress: Progress | None) -> Callable[[str, int], None] | None:
    return None if progress is None else lambda what, percent: progress(what, percent / 100)
