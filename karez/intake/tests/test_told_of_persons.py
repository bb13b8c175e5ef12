"""Identity in the wrong place is kept nowhere in the clear: not in a fault, a notice, a heading or a file's name,
whichever way it comes.
"""

import hashlib
import io
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from karez.intake import retention, services, telling
from karez.intake.models import Batch, Fault, State
from karez.intake.registry import sheet_named
from karez.intake.tests.conftest import make_county, sent
from karez.intake.tests.test_files import HEAD, V
from karez.kernel.sealing import file_digest

NAME, PHONE, CARD = "张小凤", "13812345678", "6222021234567890123"
NUMBER = "640422197001011234"
NUMBERS = [
    NUMBER,
    "64042219700101123X",
    "640422 19700101 1234",
    "６４０４２２１９７００１０１１２３４",
    "640422700101123",
    PHONE,
    "138 1234 5678",
    "+86 138-1234-5678",
    CARD,
    "6222 0212 3456 7890 123",
]


@pytest.fixture
def county(db: None) -> SimpleNamespace:
    return make_county()


def _kept_of(batch: Batch) -> str:
    batch.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute(
            (
                "SELECT f::text FROM intake_fault f WHERE batch_id = %s UNION ALL SELECT b::text FROM intake_batch b "
                "WHERE id = %s"
            ),
            [batch.pk] * 2,
        )
        return "\n".join(row[0] for row in cursor.fetchall())


def test_a_name_in_any_column_is_told_by_its_length(county: SimpleNamespace) -> None:
    lines = [
        f"{HEAD},{NAME},{NAME}",
        f"{NAME},{NAME},{NAME},{NAME},{NAME},{NAME},={NAME},a,b",
        f"r1,{V},x,,{NUMBER},{PHONE},=n,a,b",
        f"{NAME},{V},x,,1,,n,a,b",
        f"{NAME},{V},x,,1,,n,a,b",
        f"r2,{V},x,,1,,{'=' + NAME * 90},a,b",
        f"r3,{V},{NAME}",
        f'r4,{V},"{NAME}',
    ]
    batch = sent(county, "\n".join(lines), name=f"{NAME} {NUMBER}.csv")
    assert batch.state == State.FAULTY
    assert batch.fault_count and batch.fault_count >= 10
    kept = _kept_of(batch)
    assert NAME not in kept
    assert NUMBER not in kept
    assert PHONE not in kept
    assert batch.file_name == "toy.csv"
    assert {f.found for f in batch.faults.filter(column="village")} == {f"({len(NAME)} characters, not shown)"}


def test_raw_sql_keeps_none_either(county: SimpleNamespace) -> None:
    batch = sent(county, f"{HEAD}\nr1,{V},x,,abc,,\n")
    with connection.cursor() as cursor:
        for rule in ("type", "a_check"):
            cursor.execute(
                'INSERT INTO intake_fault (batch_id, row_no, "column", found, rule) VALUES (%s, 2, %s, %s, %s)',
                [batch.pk, f"amount {NUMBER}", f"{NAME} 1970-01-01 is in row 12, {NUMBER}", rule],
            )
    assert Fault.objects.get(rule="a_check").found == "… … is in row 12, …"
    kept = _kept_of(batch)
    assert NAME not in kept
    assert NUMBER not in kept


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_told_apart_from_amounts_and_codes(db: None, number: str) -> None:
    plain = [
        "640422100207",
        "2009-03-31",
        "1,234,567.89",
        "2009-01-01 – 2009-12-31",
        "12345678901234",
        "row 12 of 523016",
        "０１２",
    ]
    with connection.cursor() as cursor:
        for text, hidden in [(f"of {number}, row 3", True), *((p, False) for p in plain)]:
            cursor.execute("SELECT intake_without_numbers(%s)", [text])
            found = cursor.fetchone()[0]
            assert found == telling.without_numbers(text), text
            assert (found != text) is hidden, found
            assert not hidden or found == "of (a number, not shown), row 3"


def test_words_of_a_file_go_with_it(committed_db: str, owner_cursor: Any) -> None:
    county = make_county()
    batch = sent(county, f"{HEAD}\nr1,{V},x,,abc,,\n")
    assert batch.faults.exists()
    retention.delete_old_files(batch.delete_file_on - timedelta(days=1))
    assert batch.faults.exists()
    owner_cursor.execute("SELECT intake_file_forgotten(%s)", [batch.pk])
    batch.refresh_from_db()
    assert not batch.faults.exists()
    assert (batch.file_name, batch.notices, batch.fault_count) == ("toy", [], 1)


def test_erasing_reaches_other_sheets_words(committed_db: str, owner_cursor: Any) -> None:
    county = make_county()
    batch = sent(county, f"{HEAD}\nr1,{V},x,,abc,,\n", name="f.csv")
    with connection.cursor() as cursor:
        cursor.execute(
            (
                "SELECT intake_receive('plan_targets', %s, repeat('a', 64), 1, 'none', repeat('b', 64), repeat('c', "
                "32), current_date, %s, '[]')"
            ),
            [f"抵押 {NAME}.csv", county.sender.pk],
        )
        other = cursor.fetchone()[0]
    assert NAME in Batch.objects.get(pk=other).file_name
    marked = []

    def forget(batch_id: int, whole: bool) -> None:
        marked.append((batch_id, whole))
        owner_cursor.execute("SELECT intake_forget_words(%s)", [batch_id])

    retention._forget_words([NAME, "", "x"], forget)
    assert marked == [(other, False)]
    assert Batch.objects.get(pk=other).file_name == "plan_targets"
    assert batch.faults.exists()


def test_no_digest_confirms_a_guess(county: SimpleNamespace, tmp_path: Any) -> None:
    text = f"{HEAD}\nr1,{V},{NAME},,1,2009-01-01,\n".encode()
    path = tmp_path / "f.csv"
    path.write_bytes(text)
    batch = services.receive(county.sender, sheet="toy", file_name="f.csv", stream=io.BytesIO(text))
    assert batch.digest not in (file_digest(path), hashlib.sha256(text).hexdigest())
    assert batch.digest == telling.digest_of(sheet_named("toy"), path)
    assert date.today() < batch.delete_file_on
