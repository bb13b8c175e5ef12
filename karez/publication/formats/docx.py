"""The chapter as a Word document: headings, contents, tables, notes on the figures, page numbers in the foot. No date
but the snapshot's.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from karez.chapter.pictures import Picture, placed
from karez.publication.formats.images import png
from karez.publication.formats.pdf import for_paper
from karez.publication.formats.publication import SUFFIX, Files, Publication
from karez.wording.numbers import CHINESE, LANGUAGES, TAG
from karez.wording.terms import words

LATIN, EAST_ASIAN = "Times New Roman", "SimSun"
_SOFT = RGBColor(0x55, 0x64, 0x6B)


def docx(publication: Publication) -> Files:
    """`chapter.docx` in English and `chapter.zh.docx` in Chinese."""
    return {f"chapter{SUFFIX[language]}.docx": _document(publication, language) for language in LANGUAGES}


def _document(publication: Publication, language: str) -> bytes:
    w, chapter = words(language), publication.chapter(language)
    document = Document()
    _styles(document, TAG[language])
    _properties(document, chapter.title, publication)
    for warning in publication.warnings(language):
        document.add_paragraph(warning, style="Intense Quote")
    document.add_heading(chapter.title, 0)
    for name, value in publication.colophon(language):
        line = document.add_paragraph(style="List")
        line.add_run(f"{name}: ").font.color.rgb = _SOFT
        line.add_run(value)
    heads = [s.title for s in chapter.sections] + [w["errata"]] * bool(publication.errata)
    heads += [w["tables"]] * bool(publication.tables(language)) + [w["figures"], w["notes"]]
    _contents(document, w["contents"], heads)
    notes: dict[str, int] = {}
    sections, others = placed(chapter.sections, publication.printed[language])
    for section, pictures in sections:
        document.add_heading(section.title, 1)
        for pieces in section.paragraphs:
            paragraph = document.add_paragraph()
            for piece in pieces:
                run = paragraph.add_run(piece.text)
                if piece.gap:
                    run.italic = True
                if piece.figure_id:
                    number = notes.setdefault(piece.figure_id, len(notes) + 1)
                    paragraph.add_run(str(number)).font.superscript = True
        for one in pictures:
            _picture(document, one, language)
    for one in others:
        _picture(document, one, language)
    _errata(document, publication, language)
    tables = publication.tables(language)
    if tables:
        document.add_heading(w["tables"], 1)
    for table in tables:
        document.add_paragraph(table.title, style="Caption").paragraph_format.keep_with_next = True
        head = [table.corner or w["place"], *(f"{label} ({unit})" for _, label, unit in table.heads)]
        _table(document, head, [(name, *numbers) for name, numbers in table.rows])
    if tables:
        document.add_paragraph(w["withheld_note"], style="List")
    document.add_heading(w["figures"], 1)
    _table(
        document,
        [w["figure"], w["id"], w["value"]],
        [(r["name"], r["id"], r["words"] or r["gap"]) for r in chapter.rows],
        numbers_from=2,
    )
    document.add_heading(w["notes"], 1)
    for figure, number in notes.items():
        paragraph = document.add_paragraph(f"{number}  ", style="List")
        paragraph.add_run(publication.label(figure, language)).bold = True
        paragraph.add_run(f" {figure}. {publication.note(figure, language)}")
    return _saved(document, publication.moment)


def _picture(document: Any, one: Picture, language: str) -> None:
    """A picture under its caption, with its words for those who do not see it."""
    title = f"{one.title}。" if language == CHINESE else f"{one.title}. "
    caption = document.add_paragraph(style="Caption")
    caption.add_run(title)
    caption.add_run(one.description).bold = False
    if not one.svg:  # a gap, named in its words
        return
    caption.paragraph_format.keep_with_next = True
    shape = document.add_paragraph().add_run().add_picture(io.BytesIO(png(for_paper(one.svg))), width=Cm(16))
    told = shape._inline.docPr
    told.set("name", one.title)
    told.set("descr", f"{title}{one.description}")


def _errata(document: Any, publication: Publication, language: str) -> None:
    if not publication.errata:
        return
    w = words(language)
    document.add_heading(w["errata"], 1)
    head = [w[name] for name in ("figure", "place", "printed", "corrected", "reason", "names", "day")]
    keys = ("label", "place", "printed", "corrected", "reason", "names", "day")
    _table(
        document, head, [tuple(one[k] for k in keys) for one in publication.correction_words(language)], numbers_from=9
    )


def _styles(document: Any, tag: str) -> None:
    for style in document.styles:
        if style.element.rPr is not None or style.name in ("Normal", "List"):
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for kind in ("ascii", "hAnsi", "cs"):
                fonts.set(qn(f"w:{kind}"), LATIN)
            fonts.set(qn("w:eastAsia"), EAST_ASIAN)
            for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(qn(f"w:{theme}"), None)
    document.styles["Normal"].font.size = Pt(10.5)
    document.styles["List"].font.size = Pt(9)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-GB")
    language.set(qn("w:eastAsia"), "zh-CN")
    document.styles["Normal"].element.get_or_add_rPr().append(language)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(foot, "PAGE", "1")
    foot.add_run(" / ")
    _field(foot, "NUMPAGES", "1")


def _contents(document: Any, title: str, heads: Sequence[str]) -> None:
    """A contents field, filled with the headings; the word processor puts the page numbers in when it is asked to
    update.
    """
    document.add_paragraph(title, style="Caption")
    first, *others = (document.add_paragraph(style="List") for _ in heads)
    _field(first, r'TOC \o "1-1" \h \z \u', heads[0], end=not others)
    for paragraph, head in zip(others, heads[1:], strict=True):
        paragraph.add_run(head)
    if others:
        _mark(others[-1], "end")
    document.add_page_break()


def _field(paragraph: Any, code: str, shown: str, *, end: bool = True) -> None:
    _mark(paragraph, "begin")
    text = OxmlElement("w:instrText")
    text.set(qn("xml:space"), "preserve")
    text.text = code
    paragraph.add_run()._r.append(text)
    _mark(paragraph, "separate")
    paragraph.add_run(shown)
    if end:
        _mark(paragraph, "end")


def _mark(paragraph: Any, kind: str) -> None:
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(mark)


def _table(document: Any, head: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int = 1) -> None:
    """A table; its cells are filled by walking the XML once, since asking for them one by one is quadratic."""
    table = document.add_table(rows=len(rows) + 1, cols=len(head), style="Light List")
    repeat = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    for line, values in zip(table._tbl.tr_lst, [head, *rows], strict=True):
        for n, (cell, value) in enumerate(zip(line.tc_lst, values, strict=True)):
            paragraph = cell.p_lst[0]
            run = paragraph.add_r()
            run.text = value
            size = OxmlElement("w:sz")
            size.set(qn("w:val"), "17")
            run.get_or_add_rPr().append(size)
            if n >= numbers_from:
                paragraph.get_or_add_pPr().jc_val = WD_ALIGN_PARAGRAPH.RIGHT


def _properties(document: Any, title: str, publication: Publication) -> None:
    core = document.core_properties
    core.title, core.author, core.last_modified_by = (
        title,
        publication.said["controller"],
        publication.said["controller"],
    )
    core.created = core.modified = publication.moment.replace(tzinfo=None)
    core.revision, core.comments, core.identifier = 1, "", publication.content.digest


def _saved(document: Any, moment: datetime) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return same_dates(file.getvalue(), moment)


def same_dates(packed: bytes, moment: datetime) -> bytes:
    """A zip again with every member dated `moment`, in the order it has."""
    made = io.BytesIO()
    day = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.infolist():
            fresh = zipfile.ZipInfo(member.filename, day)
            fresh.compress_type, fresh.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(fresh, old.read(member))
    return made.getvalue()
