"""The papers behind appropriations, allocations and grants, as plain one-page PDF files. Every page says that it is
synthetic.
"""

from pathlib import Path

from karez.kernel.money import format_fen
from karez.reference.calibration import Tranche

FUNDERS = {  # line: (funder code, name, Chinese name, kind, what the line is called, document that opens it)
    "2009-LGOP-MF": ("LGOP", "State Council leading group office", "国务院扶贫办", "central_office",
                     "LGOP money for village mutual funds 2009", "LGOP-2009-012 (synthetic)"),
    "2009-SANXI-MF": ("SANXI", "Three-west fund", "三西资金", "central_finance",
                      "three-west money for village mutual funds 2009", "SX-2009-004 (synthetic)"),
    "2009-NXFIN-MF": ("NXFIN", "Finance department of the region", "自治区财政厅", "region_finance",
                      "regional money for village mutual funds 2009", "NXF-2009-031 (synthetic)"),
}  # fmt: skip


def notice_lines(tranche: Tranche, reference: str) -> list[str]:
    """What the paper of an appropriation says."""
    _code, name, _zh, _kind, title, document = FUNDERS[tranche.line]
    return [
        "SYNTHETIC - MADE FOR A DEMONSTRATION, NO REAL PAYMENT",
        "",
        f"Notice of appropriation {reference}",
        f"From: {name}",
        "To: Poverty alleviation office of the region",
        f"Source line: {tranche.line}, {title}",
        f"By document: {document}",
        f"Received on: {tranche.received_on}",
        f"Amount: {format_fen(tranche.amount * 100)} yuan",
        f"For: {tranche.small} small and {tranche.big} big villages",
    ]


def allocation_lines(line: str, reference: str, county: str, day: str, amount: int, villages: int) -> list[str]:
    """What the paper of an allocation to a county says."""
    return [
        "SYNTHETIC - MADE FOR A DEMONSTRATION, NO REAL PAYMENT",
        "",
        f"Order of allocation {reference}",
        "From: Poverty alleviation office of the region",
        f"To: County {county}",
        f"Source line: {line}, {FUNDERS[line][4]}",
        f"Passed on: {day}",
        f"Amount: {format_fen(amount * 100)} yuan",
        f"For: {villages} villages",
    ]


def order_lines(county: str, villages: int, amount: int, day: str) -> list[str]:
    """What a county's order to grant money to its villages says."""
    return [
        "SYNTHETIC - MADE FOR A DEMONSTRATION, NO REAL PAYMENT",
        "",
        f"County order {county} of 2009",
        f"Granted to the mutual funds of {villages} villages",
        f"Amount: {format_fen(amount * 100)} yuan",
        f"Last granted on: {day}",
    ]


def write_pdf(path: Path, lines: list[str]) -> None:
    """A page of plain ASCII lines, the same bytes every time."""
    text = "".join(f"({line.translate(_ESCAPED)}) Tj T*\n" for line in lines)
    stream = f"BT /F1 11 Tf 60 780 Td 18 TL\n{text}ET".encode("ascii")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj" % number + body + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        table,
        size,
        len(out),
    )
    path.write_bytes(out)


_ESCAPED = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})
