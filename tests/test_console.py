"""What the console says for itself: roles, codes, and tables with nothing cut off."""

from datetime import date

import click
import pytest
from click.testing import CliRunner

from karez.access.roles import Role
from karez.cli import deeds, host  # noqa: F401 - register their commands
from karez.cli.answers import say_rows
from karez.cli.loading import SHEET_COLUMNS, codes_in_words, sheet_rows
from karez.cli.program import DAY, YEAR, karez
from karez.kernel.refusal import Refusal


def test_the_help_of_role_names_every_role_and_what_a_code_is() -> None:
    told = CliRunner().invoke(karez, ["role", "--help"]).output
    assert all(role.value in told for role in Role) and "--over names an area by its code" in told


def test_sheets_tell_their_codes() -> None:
    coded = [row for row in sheet_rows() if row["kind"] == "code"]
    assert "codes" in SHEET_COLUMNS and any("fund_member_only" in codes_in_words(row["codes"]) for row in coded)
    assert all(codes_in_words(row["codes"]) for row in coded)


def test_one_sheet_is_shown_by_its_name() -> None:
    told = CliRunner().invoke(karez, ["sheets", "--help"]).output
    assert "[NAME]" in told
    assert {row["sheet"] for row in sheet_rows("returns")} == {"returns"} and len(sheet_rows("returns")) < len(
        sheet_rows()
    )
    with pytest.raises(Refusal) as refused:
        sheet_rows("retruns")
    assert refused.value.code == "intake.unknown_sheet" and "returns" in refused.value.expected


def test_nothing_in_a_table_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    """A code longer than its column goes on in the next line."""
    expected = "one of " + ", ".join(f"a_rather_long_code_of_a_closed_list_number_{n}" for n in range(20))
    say_rows(
        [
            {
                "row": 1,
                "column": "kind_of_household_on_record",
                "found": "x" * 80,
                "expected": expected,
                "rule": "code" * 8,
                "todo": "correct it" * 5,
            }
        ],
        ["row", "column", "found", "expected", "rule", "todo"],
        "table",
    )
    shown = capsys.readouterr().out
    assert "…" not in shown
    letters = "".join(line.split("│")[4].strip().replace(" ", "") for line in shown.splitlines() if line.count("│") > 5)
    assert letters == expected.replace(" ", "")


def test_years_and_days_of_a_command_are_read_as_in_files() -> None:
    assert (
        YEAR.convert("２００９", None, None),
        DAY.convert("2009年3月31日", None, None),
        DAY.convert(None, None, None),
    ) == (2009, date(2009, 3, 31), None)
    for read, text in ((YEAR, "2,009"), (YEAR, "20e2"), (YEAR, "99999"), (DAY, "01/12/2009"), (DAY, "9999-01-01")):
        with pytest.raises(click.BadParameter, match=f"is no {read.name} such as 2009"):
            read.convert(text, None, None)
