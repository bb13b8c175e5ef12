"""An edition as a workbook: contents, every figure, one table a sheet, values by place, notes, units, errata; both
languages side by side.
"""

import io
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import xlsxwriter

from karez.chapter.compose import gap_words
from karez.publication.formats.publication import Files, Publication
from karez.wording.numbers import CHINESE, ENGLISH, unit_words
from karez.wording.terms import words


def xlsx(publication: Publication) -> Files:
    """`figures.xlsx`."""
    return {"figures.xlsx": _Book(publication).made()}


class _Book:
    """The workbook being written: sheets in order, then their contents page."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.file = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self.file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self.w, self.z = words(ENGLISH), words(CHINESE)
        self.head = self.book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.title = self.book.add_format({"bold": True, "font_size": 14})
        self.gap = self.book.add_format({"italic": True, "font_color": "#55646B"})
        self.plain = self.book.add_format({"num_format": "#,##0.####"})
        self.whole = self.book.add_format({"num_format": "#,##0"})
        self.told: list[tuple[str, str, str]] = []

    def made(self) -> bytes:
        """The bytes."""
        said, chapter = self.publication.said, self.publication.chapter(ENGLISH)
        self.book.set_properties(
            {
                "title": chapter.title,
                "author": said["controller"],
                "comments": self.publication.content.digest,
                "created": self.publication.moment.replace(tzinfo=None),
            }
        )
        front = self.book.add_worksheet(self._both("contents"))
        self._figures()
        tables = zip(chapter.tables, self.publication.chapter(CHINESE).tables, strict=True)
        for n, (english, chinese) in enumerate(tables, 1):
            self._table(n, english.title, chinese.title, [i for i, _, _ in english.heads], english.by)
        self._flow()
        self._capital()
        self._values()
        self._notes()
        self._units()
        self._errata()
        self._front(front)
        self.book.close()
        return self.file.getvalue()

    def _both(self, word: str) -> str:
        return f"{self.w[word]} {self.z[word]}"

    def _sheet(self, name: str, english: str, chinese: str, head: Sequence[str], widths: Sequence[int]) -> Any:
        sheet = self.book.add_worksheet(name[:31])
        self.told.append((name[:31], english, chinese))
        sheet.write_string(0, 0, f"{english} {chinese}", self.title)
        sheet.write_row(2, 0, head, self.head)
        sheet.freeze_panes(3, 0)
        for n, width in enumerate(widths):
            sheet.set_column(n, n, width)
        return sheet

    def _front(self, sheet: Any) -> None:
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 90)
        row = 0
        for language in (ENGLISH, CHINESE):
            sheet.write_string(row, 0, self.publication.chapter(language).title, self.title)
            row += 1
            for warning in self.publication.warnings(language):
                sheet.write_string(row, 0, warning)
                row += 1
            for name, value in self.publication.colophon(language):
                sheet.write_row(row, 0, (name, value))
                row += 1
            row += 1
        sheet.write_row(row, 0, (self._both("sheet"), self._both("title")), self.head)
        for n, (name, english, chinese) in enumerate(self.told, row + 1):
            sheet.write_url(n, 0, f"internal:'{name}'!A1", string=name)
            sheet.write_string(n, 1, f"{english} {chinese}")

    def _figures(self) -> None:
        head = [self._both(k) for k in ("id", "figure")] + [
            self.z["figure"],
            self._both("value"),
            self._both("unit"),
            self._both("state"),
            self._both("rounding"),
        ]
        sheet = self._sheet(
            self._both("figures"), self.w["figures"], self.z["figures"], head, (40, 60, 40, 18, 18, 14, 10)
        )
        for n, row in enumerate(self.publication.chapter(ENGLISH).rows, 3):
            sheet.write_row(n, 0, (row["id"], row["label"], row["label_zh"]))
            self._value(sheet, n, 3, row["exact"], row["state"])
            sheet.write_row(n, 4, (row["unit"], self._state(row["state"]), row["rounding"]))

    def _table(self, number: int, english: str, chinese: str, figures: Sequence[str], level: str) -> None:
        content = self.publication.content
        heads = [
            (
                f"{self.publication.label(i, ENGLISH)} {self.publication.label(i, CHINESE)} "
                f"({unit_words(content.figures[i]['unit'], ENGLISH)})"
            )
            for i in figures
        ]
        name = f"{number} {self._both(level)}"
        sheet = self._sheet(name, english, chinese, [self._both("place"), "", *heads], (24, 14, *(22 for _ in figures)))
        for n, place in enumerate((p for p in content.said["places"] if p["level"] == level), 3):
            sheet.write_row(n, 0, (place["name_en"], place["name_zh"]))
            for m, figure in enumerate(figures, 2):
                exact, state = content.cells[figure, place["code"]]
                self._value(sheet, n, m, exact, state)

    def _flow(self) -> None:
        """The amounts of the picture of money, exact: a line each row, what came in and what each county got."""
        said = self.publication.said
        flow = said.get("flow")
        if not flow or flow.get("gap"):
            return
        english, chinese = (
            next((p.title for p in self.publication.printed[language] if p.name == "flow"), "")
            for language in (ENGLISH, CHINESE)
        )
        head = [
            "Line 资金批次",
            "Funder",
            "资金来源",
            "Programme 用途",
            *(self._both(k) for k in ("code", "place")),
            self.z["place"],
            "yuan 元",
        ]
        sheet = self._sheet("Flow 资金流向", english, chinese, head, (20, 36, 20, 20, 14, 24, 20, 18))
        told = {x["code"]: (x["code"], x["funder_en"], x["funder_zh"], x["programme"]) for x in flow["lines"]}
        rows = [(x["code"], said["region"]["place"], x["received"]) for x in flow["lines"]] + [
            tuple(row) for row in flow["paid"]
        ]
        for n, (line, code, yuan) in enumerate(rows, 3):
            place = self.publication.content.places[code]
            for m, text in enumerate((*told[line], code, place["name_en"], place["name_zh"])):
                sheet.write_string(n, m, text)
            self._value(sheet, n, 7, yuan)

    def _capital(self) -> None:
        """Capital by state and source, exact."""
        pictures = [
            next((p for p in self.publication.printed[language] if p.name == "capital"), None)
            for language in (ENGLISH, CHINESE)
        ]
        states = self.publication.said.get("capital", ())
        english, chinese = pictures
        if not english or not chinese:
            return
        head = [
            "State",
            "时点",
            *(f"{a} {b} (yuan 元)" for a, b in zip(english.heads[1:-1], chinese.heads[1:-1], strict=True)),
        ]
        sheet = self._sheet("Capital 资金总量", english.title, chinese.title, head, (20, 20, 30, 30))
        for n, (state, first, second) in enumerate(zip(states, english.rows, chinese.rows, strict=True), 3):
            sheet.write_row(n, 0, (first[0].text, second[0].text))
            for m, yuan in enumerate(state["values"].values(), 2):
                self._value(sheet, n, m, yuan)

    def _values(self) -> None:
        head = [self._both(k) for k in ("id", "code", "level", "place")] + [
            self.z["place"],
            self._both("value"),
            self._both("unit"),
            self._both("state"),
        ]
        sheet = self._sheet(
            self._both("values"), self.w["values"], self.z["values"], head, (40, 14, 12, 30, 20, 18, 14, 14)
        )
        content = self.publication.content
        for n, ((figure, code), (exact, state)) in enumerate(content.cells.items(), 3):
            place = content.places[code]
            for m, text in enumerate((figure, code, place["level"], place["name_en"], place["name_zh"])):
                sheet.write_string(n, m, text)
            self._value(sheet, n, 5, exact)
            sheet.write_string(n, 6, content.figures[figure]["unit"])
            sheet.write_string(n, 7, self._state(state))
        sheet.autofilter(2, 0, 2 + len(content.cells), 7)

    def _notes(self) -> None:
        sheet = self._sheet(
            self._both("note"),
            self.w["notes"],
            self.z["notes"],
            [self._both("id"), self._both("figure"), self._both("definition"), self.z["definition"]],
            (40, 50, 110, 110),
        )
        for n, figure in enumerate(self.publication.content.figures, 3):
            lines = [
                "; ".join(
                    (
                        self.publication.note(figure, language),
                        *(f"{a}: {b}" for a, b in self.publication.declared(figure, language)),
                    )
                )
                for language in (ENGLISH, CHINESE)
            ]
            sheet.write_row(n, 0, (figure, self.publication.label(figure, ENGLISH), *lines))
        last = 4 + len(self.publication.content.figures)
        for n, note in enumerate(("withheld_note", "not_collected_note", "undefined_note")):
            sheet.write_string(last + n, 0, self._both(note))

    def _units(self) -> None:
        sheet = self._sheet(
            self._both("units"),
            self.w["units"],
            self.z["units"],
            [self._both("unit"), self.w["unit"], self.z["unit"]],
            (24, 30, 20),
        )
        for n, unit in enumerate(sorted({f["unit"] for f in self.publication.content.figures.values()}), 3):
            sheet.write_row(n, 0, (unit, unit_words(unit, ENGLISH), unit_words(unit, CHINESE)))

    def _errata(self) -> None:
        keys = ("figure", "place", "printed", "corrected", "reason", "names", "day")
        sheet = self._sheet(
            self._both("errata"),
            self.w["errata"],
            self.z["errata"],
            [self._both(k) for k in keys],
            (40, 20, 20, 20, 60, 30, 12),
        )
        for n, one in enumerate(self.publication.correction_words(ENGLISH), 3):
            sheet.write_row(n, 0, [one[k] for k in keys])

    def _state(self, state: str) -> str:
        """A state as everywhere in print: withheld 不予公布; `value` where there is one."""
        if state == "value":
            return f"{self.w['value'].lower()} {self.z['value']}"
        return f"{gap_words(state, ENGLISH)} {gap_words(state, CHINESE)}"

    def _value(self, sheet: Any, row: int, column: int, exact: str | None, state: str = "") -> None:
        if exact is None:
            sheet.write_string(row, column, self._state(state), self.gap)
            return
        value = Fraction(exact)
        number = value.numerator if value.denominator == 1 else Decimal(value.numerator) / Decimal(value.denominator)
        sheet.write_number(row, column, number, self.whole if value.denominator == 1 else self.plain)
