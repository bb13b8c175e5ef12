"""Every format opened again: its figures are the edition's, it says who signed, and twice the same edition is twice the
same bytes.
"""

import csv
import hashlib
import io
import json
import re
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any
from xml.sax.saxutils import escape

import pytest
from docx import Document
from frictionless import validate
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from python_calamine import CalamineWorkbook

from karez.comparison.package_file import read_package
from karez.kernel.refusal import Refusal
from karez.publication.content import Content
from karez.publication.formats.docx import docx
from karez.publication.formats.pdf import pdf
from karez.publication.formats.publication import Correction, Publication, Signature
from karez.publication.publishing import files_of, write


@pytest.fixture
def signed(content: Content) -> Publication:
    people = [("prepared", "Wu Min"), ("reviewed", "Zhao Qiang"), ("signed", "Wang Fang")]
    erratum = Correction(
        "mutual_funds.villages_total",
        "99",
        "428",
        "430",
        "two villages were left out",
        ("Wu Min", "Wang Fang"),
        "2010-05-01",
    )
    return Publication(content, 1, [Signature(step, name, "2010-03-01") for step, name in people], [erratum])


def _paper(data: bytes) -> str:
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


def _words(publication: Publication, language: str) -> list[str]:
    return [row["words"] for row in publication.chapter(language).rows]


def test_the_pdf_holds_the_computed_figures(signed: Publication) -> None:
    made = pdf(signed)
    for name, language in (("chapter.pdf", "en"), ("chapter.zh.pdf", "zh")):
        text = _paper(made[name])
        for words in _words(signed, language):
            assert words.replace(" ", "") in text
        for part in ("WuMin", "ZhaoQiang", "WangFang", signed.content.digest, "twovillageswereleftout"):
            assert part in text
        reader = PdfReader(io.BytesIO(made[name]))
        assert reader.outline
        assert str(reader.metadata.title) == signed.chapter(language).title
        assert "2010" in str(reader.metadata.creation_date)
        fonts = {
            str(f)
            for page in reader.pages
            for f in (page["/Resources"].get("/Font") or {}).values()
            for f in [f.get_object()["/BaseFont"]]
        }
        assert any("NotoSansCJK" in f for f in fonts) or language == "en"
        assert all("+" in f for f in fonts)  # embedded, as subsets
    assert "Addsup:x.Rows:t.Unit:yuan;" in _paper(made["chapter.pdf"]) and "sum(x)" not in _paper(made["chapter.pdf"])
    assert "合计：x。数据行：t。单位" in _paper(made["chapter.zh.pdf"]).replace(":", "：")
    assert "8550万元" in _paper(made["chapter.zh.pdf"])
    assert "沙泉自治区" in _paper(made["chapter.zh.pdf"])


AMOUNTS = {
    "en": ("80.00 million yuan", "75.50", "0.13", "31.52", "154.46"),
    "zh": ("8000万元", "7550", "13", "3152", "15446"),
}


def test_the_pictures_are_on_paper_with_their_amounts(signed: Publication) -> None:
    made = files_of(signed)
    for suffix, language in (("", "en"), (".zh", "zh")):
        pictures = signed.pictures(language)
        assert [p.name for p in pictures] == ["coverage", "capital", "flow"]
        reader = PdfReader(io.BytesIO(made[f"chapter{suffix}.pdf"]))
        paper = _paper(made[f"chapter{suffix}.pdf"])
        document = Document(io.BytesIO(made[f"chapter{suffix}.docx"]))
        cells = {c.text for t in document.tables for r in t.rows for c in r.cells}
        said = [s._inline.docPr.get("descr") for s in document.inline_shapes]
        alternatives = _alternatives(reader)
        for picture in pictures:
            assert picture.title.replace(" ", "") in paper
            assert any(picture.description in text and picture.title in text for text in said)
            assert any(picture.description in text for text in alternatives)
            assert all(cell.text in cells for row in picture.rows for cell in row if picture.name != "coverage")
            root = ET.fromstring(picture.svg)
            drawn = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text")]
            assert all(text.replace(" ", "") in paper for text in drawn), picture.name  # set as text, not as outlines
            assert f">{escape(drawn[-1])}<" in made[f"chapter{suffix}.html"].decode()
        for amount in AMOUNTS[language]:
            assert amount.replace(" ", "") in paper
            assert amount in made[f"chapter{suffix}.html"].decode()
        parts = zipfile.ZipFile(io.BytesIO(made[f"chapter{suffix}.docx"])).namelist()
        assert sum(name.endswith(".png") for name in parts) == 3


def test_the_map_has_its_table_where_the_chapter_has_none(signed: Publication) -> None:
    assert [t.corner for t in signed.tables("en") if t.heads[0][0] == "mutual_funds.villages_total"] == [""]
    bare = Publication(
        _with(signed.content, lambda said: [said["chapters"][tag].update(tables=[]) for tag in ("en", "zh")]), 1
    )
    found = [t for t in bare.tables("en") if t.heads[0][0] == "mutual_funds.villages_total"]
    assert [t.rows for t in found] == [(("Liujing", ("400",)), ("Shiliang", ("28",)))]
    assert "Shiliang28" in _paper(pdf(bare)["chapter.pdf"])


def test_a_picture_that_cannot_be_drawn_is_a_gap_in_every_format(signed: Publication) -> None:
    for change in (
        {"lines": [], "paid": [], "gap": "not_told_apart"},
        signed.said["flow"] | {"paid": [["F-2", "990101", "9500000"]]},
    ):
        made = files_of(Publication(_with(signed.content, lambda said, flow=change: said.update(flow=flow)), 1))
        assert "cannotbedrawn" in _paper(made["chapter.pdf"]) and "无法绘制此图" in _paper(made["chapter.zh.pdf"])
        assert "cannot be drawn" in made["chapter.html"].decode()
        document = Document(io.BytesIO(made["chapter.docx"]))
        assert len(document.inline_shapes) == 2
        assert any("cannot be drawn" in p.text for p in document.paragraphs)


def _with(content: Content, change: Callable[[dict[str, Any]], Any]) -> Content:
    said = json.loads(content.text)
    change(said)
    return Content(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def _alternatives(reader: PdfReader) -> list[str]:
    """What the tagged PDF says of its pictures to those who do not see them."""
    return [
        str(o["/Alt"])
        for n in range(1, len(reader.xref_objStm) + len(reader.xref[0]) + 1)
        if isinstance(o := _object(reader, n), dict) and "/Alt" in o
    ]


def _object(reader: PdfReader, number: int) -> object:
    try:
        return reader.get_object(number)
    except PyPdfError:  # a free number
        return None


def test_a_name_in_a_picture_that_no_font_has_is_an_error(signed: Publication) -> None:
    strange = Publication(Content(signed.content.text.replace("财政厅", "财\U0001f9ff厅")), 1, signed.signatures)
    with pytest.raises(Refusal) as refused:
        pdf(strange)
    assert refused.value.code == "publication.missing_glyph"


def test_a_picture_with_a_character_no_font_has_is_refused_in_every_format(content: Content) -> None:
    """The Word document carries pictures too: a blank in one is an error there as in the PDF."""
    said = json.loads(content.text)
    said["flow"]["lines"][0] |= {"funder_en": "Finance \U00012000 office", "funder_zh": "财\U00012000政"}
    odd = Publication(Content(json.dumps(said)))
    for make in (docx, pdf):
        with pytest.raises(Refusal) as refused:
            make(odd)
        assert refused.value.code == "publication.missing_glyph"
        assert "U+12000" in refused.value.record


def test_a_character_no_font_has_is_an_error(signed: Publication) -> None:
    strange = Publication(Content(signed.content.text.replace("柳井县", "柳\U0001f9ff县")), 1, signed.signatures)
    with pytest.raises(Refusal) as refused:
        pdf(strange)
    assert refused.value.code == "publication.missing_glyph"
    assert "U+1F9FF" in refused.value.record


def test_the_word_document_holds_the_computed_figures(signed: Publication) -> None:
    made = files_of(signed)
    for name, language in (("chapter.docx", "en"), ("chapter.zh.docx", "zh")):
        document = Document(io.BytesIO(made[name]))
        cells = {c.text for t in document.tables for r in t.rows for c in r.cells}
        text = "\n".join(p.text for p in document.paragraphs)
        assert cells >= set(_words(signed, language))
        assert all(part in text for part in ("Wu Min", "Zhao Qiang", "Wang Fang", signed.content.digest))
        assert any("430" in c for c in cells)
        assert [p.text for p in document.paragraphs if p.style.name == "Heading 1"][
            : len(signed.chapter(language).sections)
        ] == [s.title for s in signed.chapter(language).sections]
        assert document.core_properties.created.year == 2010
        fonts = document.styles["Normal"].element.rPr.rFonts
        assert fonts.get("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia") == "SimSun"


def test_the_workbook_holds_the_computed_figures(signed: Publication) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(files_of(signed)["figures.xlsx"]))
    front = [cell for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert set(book.sheet_names[1:]) <= set(front)
    assert "Wang Fang, 2010-03-01" in front
    figures = {row[0]: row[3] for row in book.get_sheet_by_name("Every figure 全部指标").to_python()[3:]}
    assert figures["mutual_funds.funds_2009"] == 85_500_000
    assert figures["mutual_funds.village_share"] == pytest.approx(10700 / 351, abs=1e-9)
    assert [row[-1] for row in book.get_sheet_by_name("Flow 资金流向").to_python()[3:]] == [
        80_000_000,
        5_500_000,
        70_000_000,
        9_870_000,
        5_500_000,
    ]
    assert [row[2] for row in book.get_sheet_by_name("Capital 资金总量").to_python()[3:]] == [31_520_000, 154_460_000]
    values = book.get_sheet_by_name("Values by place 分地区数值").to_python()
    assert [r[-1] for r in values if r[:2] == ["mutual_funds.member_households", "990101"]] == ["withheld 不予公布"]
    cells = {str(c) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for c in row}
    assert "suppressed" not in cells and "value 数值" in cells


def test_the_open_data_package_is_valid(signed: Publication, tmp_path: Path) -> None:
    write(signed, tmp_path)
    report = validate(str(tmp_path / "data" / "datapackage.json"))
    assert report.valid, report.flatten(["type", "note"])
    described = json.loads((tmp_path / "data" / "datapackage.json").read_text())
    assert described["$schema"].endswith("/2.0/datapackage.json")
    rows = list(csv.DictReader((tmp_path / "data" / "values.csv").open(encoding="utf-8")))
    assert {r["place"] for r in rows} == {"99", "9901", "990101", "990102"}
    flow = list(csv.DictReader((tmp_path / "data" / "flow.csv").open(encoding="utf-8")))
    assert sum(int(r["yuan"]) for r in flow if r["figure"] == "funds.received") == 85_500_000
    assert [(r["line"], r["place"], r["yuan"]) for r in flow][2:] == [
        ("F-1", "990101", "70000000"),
        ("F-1", "990102", "9870000"),
        ("F-2", "990101", "5500000"),
    ]
    capital = list(csv.DictReader((tmp_path / "data" / "capital.csv").open(encoding="utf-8")))
    assert [(r["year"], r["opening"], r["yuan"]) for r in capital] == [
        ("2009", "true", "31520000"),
        ("2009", "false", "154460000"),
    ]
    held = [r for r in rows if r["state"] == "suppressed"]
    assert held
    assert all(r["value"] == "" for r in held)
    (tmp_path / "data" / "values.csv").write_text("figure,place\nx,y\n")
    assert not validate(str(tmp_path / "data" / "datapackage.json")).valid


def test_the_open_data_package_is_one_file_too(signed: Publication) -> None:
    made = files_of(signed)
    with zipfile.ZipFile(io.BytesIO(made["data.zip"])) as archive:
        assert archive.namelist() == sorted(name for name in made if name.startswith("data/"))
        assert all(archive.read(name) == made[name] for name in archive.namelist())
        assert {one.date_time for one in archive.infolist()} == {(2010, 2, 3, 4, 5, 6)}
    package = read_package(made["data.zip"])
    assert package.faults == []
    assert package.values["mutual_funds.villages_total", "990101"][0] == 400
    assert 'href="data.zip"' in made["index.html"].decode()


def test_the_same_edition_is_the_same_bytes(signed: Publication) -> None:
    first = files_of(signed)
    time.sleep(2.1)  # a zip tells time in steps of two seconds
    again = files_of(Publication(Content(signed.content.text), 1, list(signed.signatures), list(signed.errata)))
    assert [name for name in first if first[name] != again[name]] == []
    told = dict(reversed(line.split("  ")) for line in first["digests.txt"].decode().splitlines())
    assert told == {name: hashlib.sha256(data).hexdigest() for name, data in first.items() if name != "digests.txt"}
    assert hashlib.sha256(first["edition.json"]).hexdigest() == signed.content.digest


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe", "img", "form")
        self.language = self.language or dict(attrs).get("lang") or ""
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_site_needs_nothing_from_outside(signed: Publication) -> None:
    made = files_of(signed)
    pages = [name for name in made if name.endswith(".html")]
    assert len(pages) == 2 * (4 + len(signed.content.figures))
    for name in pages:
        reader = _Links()
        reader.feed(made[name].decode())
        assert reader.language == ("zh-Hans" if ".zh." in name else "en")
        assert reader.found.pop(0) == "data:,"  # no icon is asked for elsewhere
        for link in reader.found:
            assert normpath(join(dirname(name), link.partition("#")[0])) in made, (name, link)
    assert b"http" not in made["style.css"]
    rules = dict(re.findall(r"([^{}]+)\{([^{}]*)\}", made["style.css"].decode()))
    assert (
        "anywhere" not in rules["\nbody"] and "overflow-wrap:normal" in rules["\nth,td"]
    )  # else a name stands one letter a line beside wide heads
    assert 'class="wrap wide" role="region" tabindex="0"' in made["chapter.html"].decode()
    chapter = made["chapter.html"].decode()
    assert "85.50 million yuan" in chapter
    assert "Synthetic data" in chapter
    assert "Not signed" not in chapter
    assert "two villages were left out" in made["errata.html"].decode()
    assert "8550万元" in made["figures/mutual_funds.funds_2009.zh.html"].decode()


def test_an_unsigned_year_is_marked_everywhere(content: Content) -> None:
    made = files_of(Publication(content))
    assert "Not signed" in made["chapter.html"].decode()
    assert "未签发" in made["figures/mutual_funds.villages_total.zh.html"].decode()
    assert "Notsigned" in _paper(made["chapter.pdf"])
    assert any("Not signed" in p.text for p in Document(io.BytesIO(made["chapter.docx"])).paragraphs)
    assert "Not signed" in json.loads(made["data/datapackage.json"])["description"]


def test_hostile_words_are_only_words(content: Content, tmp_path: Path) -> None:
    text = content.text.replace("柳井县", "<b>&#*_$`县").replace("Liujing", '=1+1\\"</td>#panic()')
    made = files_of(Publication(Content(text)))
    page = made["figures/mutual_funds.villages_total.html"].decode()
    assert "</td>#panic()" not in page.replace("&lt;/td&gt;", "")
    assert "#panic()" in _paper(made["chapter.pdf"])
    book = CalamineWorkbook.from_filelike(io.BytesIO(made["figures.xlsx"]))
    assert any(
        str(c).startswith("=1+1")
        for row in book.get_sheet_by_name("Values by place 分地区数值").to_python()
        for c in row
    )


def test_files_of_an_earlier_run_are_taken_away(signed: Publication, tmp_path: Path) -> None:
    write(signed, tmp_path)
    mine = tmp_path / "mine.txt"
    mine.write_text("kept")
    old = tmp_path / "figures" / "old.figure.html"
    old.write_text("x")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("kept")
    with (tmp_path / "digests.txt").open("a") as told:
        told.write(f"{'0' * 64}  figures/old.figure.html\n{'0' * 64}  ../{outside.name}\n")
    write(signed, tmp_path)
    assert not old.exists()
    assert mine.exists()
    assert outside.exists()
