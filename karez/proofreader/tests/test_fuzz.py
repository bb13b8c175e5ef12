"""Ten thousand small files, good, odd and broken: each is answered with verdicts or faults, none crashes anything."""

import csv
import io
import os
import random

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from karez.kernel.tests.work import calls
from karez.proofreader.chapter_file import read_chapter, read_rules
from karez.proofreader.export import export
from karez.proofreader.page import context_of
from karez.proofreader.proof import proof_of

COLUMNS = (
    "id", "section", "label", "value", "unit", "qualifier", "rounding", "period", "place", "kind", "programme", "derivation",
    "part_of", "rounding_assumed",
)  # fmt: skip
VALUES = [
    "0",
    "1",
    "-1",
    "10",
    "30.5",
    "85500000",
    "0.0001",
    "1" * 30,
    "1" * 31,
    "",
    "x",
    "1e9",
    "１２",
    "-0",
    "1,000",
    "=1",
    "NaN",
    "∞",
]
UNITS = [
    "persons",
    "person_times",
    "人次",
    "yuan",
    "percent",
    "percentage_points",
    "villages",
    "",
    "%",
    "km2",
    "items",
    "%(x)s",
]
QUALIFIERS = ["exact", "rounded", "nearly", "about", "more_than", "at_least", "less_than", "at_most", "", "circa"]
ROUNDINGS = ["1", "10", "0.1", "10000", "0", "-1", "", "x"]
KINDS = ["stock", "flow", "share", "growth", "average", "plan", "rule", ""]
PERIODS = ["2009", "end_2009", "2008", "plan", "", "2008-2009"]
PIECES = [
    "a",
    "b",
    "c",
    "a.b",
    "z",
    "1",
    "0",
    "100",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    " ",
    "**",
    "<",
    "__import__",
    "'",
    "9" * 40,
    "é",
]
BYTES = [
    b"\x00",
    b"\xff",
    b'"',
    b"\n",
    b"\r",
    b",",
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    "人".encode("gb18030"),
    b"=",
    b";",
    b"\t",
]
CALLS = 50_000  # for one small file, whatever is in it


def formula(chance):
    names = ["a", "b", "c", "d", "a.b", "zero"]
    shape = chance.randrange(8)
    if shape < 2:
        return chance.choice(names)
    if shape < 4:
        return f" {chance.choice('+-*/')} ".join(chance.choice(names) for _ in range(chance.randrange(2, 6)))
    if shape == 4:
        return f"100 * {chance.choice(names)} / ({chance.choice(names)} + {chance.choice(names)})"
    if shape == 5:
        return "(" * chance.randrange(60) + "a" + ")" * chance.randrange(60)
    return "".join(chance.choice(PIECES) for _ in range(chance.randrange(12)))


def figures_file(chance):
    columns = list(COLUMNS)
    if chance.random() < 0.05:
        columns.remove(chance.choice(columns))
    if chance.random() < 0.1:
        columns.append(chance.choice(["id", "extra", ""]))
    chance.shuffle(columns)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    odd = chance.choice([0, 0, 0, 0.03, 0.3])

    def pick(choices, sound):
        return chance.choice(choices) if chance.random() < odd else chance.choice(choices[:sound])

    for name in ["a", "b", "c", "d", "a.b", "zero", "a", "é"][: chance.choice([0, 2, 6, 6, 6, 7, 8])]:
        cells = {
            "id": name,
            "value": pick(VALUES, 8) if name != "zero" else "0",
            "unit": pick(UNITS, 7),
            "qualifier": pick(QUALIFIERS, 8),
            "rounding": pick(ROUNDINGS, 4),
            "kind": pick(KINDS, 8),
            "period": pick(PERIODS, 6),
            "derivation": formula(chance) if chance.random() < 0.5 else "",
            "part_of": chance.choice(["", "", "a", "b", "nowhere"]),
            "rounding_assumed": chance.choice(["", "true", "no"]),
        }
        writer.writerow([cells.get(column, "s") for column in columns][: None if chance.random() > odd else 5])
    data = out.getvalue().encode()
    for _ in range(chance.randrange(1, 4) if chance.random() < odd else 0):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(BYTES) + data[at + chance.randrange(3) :]
    return data


def rules_file(chance):
    if chance.random() < 0.5:
        return None
    rows = [
        f"{formula(chance)},{chance.choice(['<=', '>=', '<', '>', '==', '!=', '=', '~'])},{formula(chance)}"
        for _ in range(3)
    ]
    return "\n".join(["left,relation,right", *rows]).encode()


def answer_all(count, seed):
    chance = random.Random(seed)
    verdicts, faults, units = 0, 0, 0
    for number in range(count):
        data, rules = figures_file(chance), rules_file(chance)
        try:
            if number % 20 == 0:  # counting is slow; how the work grows is in test_proof
                assert calls(lambda: proof_of(data, rules).as_dict()) < CALLS  # noqa: B023
            result = proof_of(data, rules)
            result.as_dict()
            if number % 20 == 0:  # what people see of it, in both languages
                with translation.override(chance.choice(["en", "zh-hans"])):
                    chapter = read_chapter(data)
                    render_to_string("proofreader/proof_told.html", context_of(result, chapter))
                    export(result, chance.choice(["csv", "xlsx", "json"]))
                read_rules(data)
        except Exception as error:
            error.add_note(f"file {number} of seed {seed}: {data!r} {rules!r}")
            raise
        assert result.identities or result.faults or result.figures, data
        verdicts, faults, units = (
            verdicts + len(result.identities),
            faults + len(result.faults),
            units + len(result.units),
        )
    assert verdicts > count / 4 and faults > count / 4 and units > count / 4  # neither all good nor all bad


def test_fifteen_hundred_files():
    answer_all(1_500, 2009)


@pytest.mark.crash
@pytest.mark.skipif("KAREZ_CRASH_ROUNDS" not in os.environ, reason="make crash runs the ten thousand")
def test_ten_thousand_files():
    answer_all(10_000, 2010)
