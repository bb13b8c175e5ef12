"""What is right for declarations, headings and people, as pure functions. Holds no file and no query."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.conf import settings

from karez.intake.headings import LONGEST_HEADING, OF_WHOM, Said, said_by
from karez.kernel.denied import denied_word
from karez.kernel.folding import fold, without_end_bracket
from karez.kernel.messages import read, say
from karez.kernel.personal import alias_of
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import SealingKey
from karez.kernel.sheets import Column, Kind, Sheet
from karez.kernel.units import COUNTED, key, unit_named, worth_in
from karez.kernel.written import WHOLE, YUAN, Form, decimal

_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")
NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FEN)
IDENTITY = (
    "identity_sealed",
    "identity_key",
    "number_hash",
    "name_hash",
)  # what is staged of identity cells, in this order
UNREAD = ("quotes", "cells", "long_row")  # rules of rows that could not be told apart into cells at all
_SEVERAL = re.compile(
    "[a-z][a-z0-9_]*(, [a-z][a-z0-9_]*)+"
)  # names of columns; anything else is one heading, with whatever commas
RESERVED = frozenset({"row_no", *IDENTITY})

# SQL types of staged columns.
SQL_TYPES = {
    Kind.TEXT: "text", Kind.INTEGER: "bigint", Kind.DECIMAL: "numeric", Kind.FEN: "bigint", Kind.DATE: "date",
    Kind.MONTH: "date", Kind.YEAR: "integer", Kind.FLAG: "boolean", Kind.CODE: "text", Kind.AREA: "text",
}  # fmt: skip


@dataclass(frozen=True)
class Headings:
    """How a file's headings match a sheet: place in the file by column name, and what else was found."""

    places: dict[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    units: dict[str, Said] = field(default_factory=dict)  # by column name: a unit its heading names
    others: dict[int, str] = field(default_factory=dict)  # headings that are nobody's, by their place


def check_declaration(sheet: Sheet) -> None:
    """Fails on a sheet no file could be loaded by: a fault of the program, found at start."""
    names = [column.name for column in sheet.columns]
    assert len(set(names)) == len(names), f"{sheet.name}: a column is declared twice"
    for column in sheet.columns:
        assert _NAME.fullmatch(column.name) and column.name not in RESERVED, f"{sheet.name}.{column.name}: not a name"
        assert not column.identity or column.kind is Kind.TEXT, f"{sheet.name}.{column.name}: identity is text"
        for heading in column.headings:
            assert not denied_word(heading), f"{sheet.name}: {heading} may not be asked for"
    answers = [(heading_key(h), c.name) for c in sheet.columns for h in c.headings]
    twice = [pair for pair in set(answers) if any(key == pair[0] and name != pair[1] for key, name in answers)]
    assert not twice, f"{sheet.name}: one heading for two columns: {sorted(twice)}"
    for check in sheet.checks:
        for item in check.across:
            for name in item.split("="):
                assert not sheet.column(name).identity, f"{sheet.name}: {check.rule} compares what is sealed"
    for name in (
        *sheet.key,
        *filter(None, (sheet.area_column, sheet.area_day, sheet.day_column, sheet.name_index_column)),
    ):
        sheet.column(name)
    if sheet.same is not None:
        sheet.column(sheet.same.column)
    assert not sheet.name_index_column or sheet.column(sheet.name_index_column).kind is Kind.AREA


def number_column(sheet: Sheet) -> Column | None:
    """The identity column that holds the resident number: `id_number`, or a name that ends so."""
    return next((c for c in sheet.columns if c.identity and c.name.endswith("id_number")), None)


def name_column(sheet: Sheet) -> Column | None:
    """The identity column that holds a person's name: `name`, or the first whose name ends in `name`."""
    return next((c for c in sheet.columns if c.identity and c.name.endswith("name")), None)


def identity_text(plain: Mapping[str, str]) -> str | None:
    """The identity cells of a row as one JSON text, as `typing.identity_record` makes it; None where all are empty."""
    return json.dumps(dict(plain), ensure_ascii=False, separators=(",", ":")) if plain else None


def staged_columns(sheet: Sheet) -> list[dict[str, str]]:
    """Names and types of the staged table after row_no, in the order they are copied."""
    made = []
    for column in sheet.columns:
        if column.identity:
            continue
        made.append({"name": column.name, "type": SQL_TYPES[column.kind]})
        if column.kind is Kind.AREA:
            made.append({"name": f"{column.name}_id", "type": "bigint"})
    if any(column.identity for column in sheet.columns):
        made += [{"name": name, "type": "bytea"} for name in IDENTITY]
    return made


def mark_of(*, ref: str, kept_digest: str, digest: str, sheet: str, sender_id: int) -> str:
    """What binds a batch to its kept file and its sender: only the installation's key makes it."""
    sealing: SealingKey = settings.SEALING_KEY
    told = "\0".join((ref, kept_digest, digest, sheet, str(sender_id)))
    return sealing.digest(b"batch", told.encode()).hex()[:32]


def heading_key(heading: str) -> str:
    """What two spellings of a heading share: width, case, blanks, underscores, hyphens and a unit in brackets aside."""
    return word_key(without_end_bracket(unicodedata.normalize("NFKC", fold(heading))))


def word_key(word: str) -> str:
    """What two spellings of a word share: width, case, blanks, underscores, hyphens and stars aside (`intake_word_key`
    in sql/intake.sql).
    """
    return re.sub(r"[\s_\-*]+", "", unicodedata.normalize("NFKC", fold(word)).casefold())


def told_column(headings: Mapping[str, str], column: str) -> list[tuple[str, str]]:
    """The columns a fault speaks of, each as the file heads it, with our own name where that is another one."""
    told = []
    for ours in column.split(", ") if _SEVERAL.fullmatch(column) else filter(None, (column,)):
        heading = headings.get(ours, ours)
        told.append((heading, "" if heading_key(heading) == heading_key(ours) else ours))
    return told


def column_in_words(headings: Mapping[str, str], column: str) -> str:
    """The same as one text: 金额 (amount)."""
    return ", ".join(f"{heading} ({ours})" if ours else heading for heading, ours in told_column(headings, column))


def match_headings(sheet: Sheet, headings: Sequence[str]) -> Headings:
    """Which heading is which column, and the unit it names; a blank heading is nobody's."""
    wanted = {heading_key(h): c for c in sheet.columns for h in c.headings}
    places: dict[str, int] = {}
    units: dict[str, Said] = {}
    others: dict[int, str] = {}
    twice = []
    for place, heading in enumerate(headings):
        name, said = _column_of(wanted, heading)
        if name in places:
            twice.append(heading.strip())
        elif name is not None:
            places[name] = place
            if said is not None:
                units[name] = said
        elif heading.strip():
            others[place] = heading.strip()[:60]
    for place, heading in list(others.items()):
        alias = identity_alias(sheet, heading, places)
        if alias is not None:
            places[alias] = place
            del others[place]
    unknown = tuple(others.values())
    seen = Counter(heading_key(h) for h in unknown)
    twice += [h for h in unknown if seen[heading_key(h)] > 1]
    missing = tuple(c.name for c in sheet.columns if c.required and c.name not in places)
    return Headings(places, tuple(dict.fromkeys(unknown)), missing, tuple(dict.fromkeys(twice)), units, others)


def _column_of(wanted: Mapping[str, Column], heading: str) -> tuple[str | None, Said | None]:
    """The column a heading names, whatever unit stands with it, and that unit; only of numbers is a unit looked for
    outside brackets.
    """
    if len(heading) > LONGEST_HEADING:
        return None, None  # refused where the file is read
    for way, (words, said) in enumerate(said_by(heading)):
        column = wanted.get(heading_key(words)) if words.strip() else None
        if column is not None and (way == 0 or column.kind in NUMBERS):
            return column.name, said if column.kind in NUMBERS and not _only_of_whom(column, said) else None
    return None, None


def _only_of_whom(column: Column, said: Said | None) -> bool:
    """Whether what stands beside a column of money or shares only says whose they are: 金额（个人） is no number of persons."""
    return said is not None and base_unit(column) in ("yuan", "percent") and key(said.text) in OF_WHOM


def identity_alias(sheet: Sheet, heading: str, places: Mapping[str, int]) -> str | None:
    """The identity column a heading stands for by a common name, where the sheet has one and no other heading took it."""
    kind = alias_of(heading)
    ends = {"id_number": "id_number", "name": "name", "phone": "phone"}.get(kind, "")
    column = next((c for c in sheet.columns if c.identity and ends and c.name.endswith(ends)), None)
    return column.name if column is not None and column.name not in places else None


def base_unit(column: Column) -> str:
    """The unit a column's numbers are kept in, as `kernel/units.py` calls it; empty where they have none."""
    if column.kind is Kind.FEN:
        return "yuan"
    unit = unit_named(column.unit) if column.unit else None
    return unit.base if unit is not None else ""


def conversion(column: Column, said: Said) -> Fraction | None:
    """What the unit a heading names is worth in the column's own; None where it cannot be turned into it exactly."""
    base = base_unit(column)
    if said.unit is None:
        return None
    if column.unit_column:
        return Fraction(1) if said.unit.is_plain else None
    worth = worth_in(said.unit, base)
    return worth if worth is not None or base or said.unit.base not in COUNTED else said.unit.worth


def form_of(column: Column) -> Form:
    """How the numbers of a column may be written."""
    if column.kind is Kind.FEN:
        return YUAN
    return WHOLE if column.kind is Kind.INTEGER else decimal(column.decimals)


def denied_places(headings: Sequence[str]) -> dict[int, str]:
    """Places of headings on the deny-list, with the word for which each is denied."""
    return {place: word for place, heading in enumerate(headings) if (word := denied_word(heading))}


def not_in_state(error: Any, record: str) -> Refusal:
    """The refusal that tells a refusal of this room's functions in the database (KZ04x)."""
    diag = error.diag
    if error.sqlstate == "KZ045":
        return Refusal(
            "intake.to_be_confirmed",
            record=record,
            found=read(diag.message_primary),
            expected=read(diag.message_detail),
            rule=say("what looks like something already there is never taken in silence"),
            todo=say("see the rows on the page of the batch"),
        )
    same = error.sqlstate == "KZ043"
    return Refusal(
        "intake.same_person" if same else "intake.wrong_state",
        record=record,
        found=read(diag.message_primary),
        expected=read(diag.message_detail),
        rule=say("a batch needs two people") if same else say("a batch goes its way step by step"),
        todo=say("ask a colleague with the permission") if same else say("look at the batch again"),
    )


def check_reason(record: str, reason: str) -> None:
    """Refuses an empty reason."""
    if not reason.strip():
        raise Refusal(
            "intake.reason_missing",
            record=record,
            found=say("no reason"),
            expected=say("why, in a few words"),
            rule=say("the sender reads why"),
            todo=say("write the reason"),
        )
