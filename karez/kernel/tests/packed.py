"""Workbooks made by hand, part by part, for what no library writes. Holds no tests."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def page(rows: str, *, before: str = "", after: str = "") -> str:
    """A part with the cells of a sheet."""
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def words(line: int, *texts: str) -> str:
    """A row of texts."""
    cells = "".join(
        f'<c r="{chr(65 + n)}{line}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        for n, text in enumerate(texts)
    )
    return f'<row r="{line}">{cells}</row>'


def xlsx(
    *pages: str,
    formats: Sequence[str] = (),
    strings: str = "",
    states: Sequence[str] = (),
    names: Sequence[str] = (),
    from_1904: bool = False,
    more: Mapping[str, str | bytes] = {},
    method: int = zipfile.ZIP_DEFLATED,
    part: str = "worksheets/sheet{0}.xml",
) -> bytes:
    """A workbook of these sheets; the cell style n has the n-th of `formats` (style 0 is General), `strings` are `<si>`
    elements.
    """
    sheets = "".join(
        f'<sheet name="{names[n] if names else f"Sheet{n + 1}"}" sheetId="{n + 1}" r:id="r{n + 1}"'
        f' state="{states[n] if states else "visible"}"/>'
        for n in range(len(pages))
    )
    relations = "".join(
        f'<Relationship Id="r{n + 1}" Type="{OFFICE}/worksheet" Target="{part.format(n + 1)}"/>'
        for n in range(len(pages))
    )
    relations += f'<Relationship Id="st" Type="{OFFICE}/styles" Target="styles.xml"/>'
    relations += f'<Relationship Id="ss" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    codes = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for n, code in enumerate(formats)
    )
    styles = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(formats)))
    parts: dict[str, str | bytes] = {
        "_rels/.rels": (
            f'<Relationships xmlns="{RELATIONS}"><Relationship Id="w" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr '
            f'date1904="{int(from_1904)}"/><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">{relations}</Relationships>',
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf '
            f'numFmtId="0"/>{styles}</cellXfs></styleSheet>'
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        **{"xl/" + part.format(n + 1): text for n, text in enumerate(pages)},
        **more,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()
