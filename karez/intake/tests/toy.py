"""A sheet for tests: people of villages with an amount. Applying writes one document row for each; nothing else is
made.
"""

from collections.abc import Mapping

import psycopg

from karez.intake import installed, registry
from karez.intake.voiding import void_batch_rows
from karez.kernel.sheets import Applying, Check, Column, Kind, Sheet, Total
from karez.system import database

_APPLY = """
INSERT INTO notices_document (kind, subject_id, area_id, name, title, issued_on, media_type, size_bytes, digest,
    vault_ref,
                              recorded_by_id, batch_id)
SELECT 'toy', s.row_no, s.village_id, coalesce(s.note, 'none'), s.ref, s.paid_on, 'text/plain', coalesce(s.amount, 0),
    'd', 'r',
       %s, %s FROM {stage} s
"""


def apply(applying: Applying) -> Mapping[str, int]:
    applying.cursor.execute(_APPLY.replace("{stage}", applying.stage), [applying.approver_id, applying.batch_id])
    written = applying.cursor.rowcount
    applying.progress("documents", 50)
    applying.cursor.execute("SELECT count(*) FROM notices_document WHERE title = 'slow'")
    if applying.cursor.fetchone()[0]:
        applying.cursor.execute("SELECT pg_sleep(0.5)")
    return {"documents": written}


def withdraw(applying: Applying) -> Mapping[str, int]:
    from karez.notices.models import Document

    return {"documents": void_batch_rows(applying, Document)}


TOY = Sheet(
    name="toy",
    label="Toy",
    about="People and amounts",
    columns=(
        Column("ref", "number of the row", max_length=20, reference=True, headers=("编号",)),
        Column("village", "village", Kind.AREA, levels=("village",), headers=("村", "Village code")),
        Column("name", "name", identity=True, headers=("姓名",), max_length=40),
        Column("id_number", "resident number", identity=True, reference=True, required=False, headers=("身份证号",)),
        Column("amount", "amount", Kind.FEN, required=False, unit="yuan", low=0, headers=("金额",)),
        Column("paid_on", "day", Kind.DATE, required=False, headers=("日期",)),
        Column("born", "month of birth", Kind.MONTH, required=False),
        Column("year", "year", Kind.YEAR, required=False, low=1990, high=2030),
        Column("size", "people", Kind.INTEGER, required=False, low=0, high=30),
        Column("share", "share", Kind.DECIMAL, required=False),
        Column("poor", "poor", Kind.FLAG, required=False),
        Column(
            "kind",
            "kind",
            Kind.CODE,
            required=False,
            codes={"registered": "reg", "建档户": "reg", "fund member": "fund"},
        ),
        Column("phone", "phone", required=False, pattern=r"[0-9+ -]{5,20}"),
        Column("note", "note", required=False),
    ),
    apply=apply,
    send_permission="register.send",
    apply_permission="register.apply",
    key=("village", "ref"),
    area_column="village",
    area_day="",
    day_column="paid_on",
    name_index_column="village",
    checks=(
        Check(
            "toy_unlucky",
            "size",
            "a size other than 13",
            "SELECT row_no, size::text FROM {stage} WHERE size = 13 AND %(batch_id)s > 0",
        ),
        Check(
            "toy_named",
            "size",
            "another size",
            "SELECT row_no, size::text, size + 1 || ': the size after ' || size FROM {stage} WHERE size = 27",
            tells_expected=True,
        ),
    ),
    totals=(Total("people", "SELECT count(*) FROM {stage}"), Total("amount", "SELECT sum(amount) FROM {stage}", "fen")),
    built_on=(
        Check(
            "toy_built_on",
            "",
            "nothing built on it",
            (
                "SELECT id, 'document ' || id FROM notices_document WHERE kind = 'built on toy' AND subject_id = "
                "%(batch_id)s AND voided_at IS NULL"
            ),
        ),
    ),
    withdraw=withdraw,
)


def install() -> None:
    """Makes the sheet known to this process, and to the database in use as the owner tells it of every other."""
    registry.add(TOY)
    with psycopg.connect(database.conninfo(database.OWNER)) as owner:
        if owner.execute("SELECT apply_permission FROM intake_sheet(%s)", [TOY.name]).fetchone() == (None,):
            for statement in installed.statements():
                owner.execute(statement.encode())
