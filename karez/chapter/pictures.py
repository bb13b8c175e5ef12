"""The chapter's pictures in words of a language: each with its drawing and a table of the same amounts. Computes no
figures.

One function a picture; the page, the site, the paper and the Word document show what is made here, from frozen figures
only.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.dateformat import format as date_format
from django.utils.translation import override

from karez.chapter.charts import Bar, Group, svg_columns
from karez.chapter.compose import Section, worded
from karez.chapter.maps import county_map
from karez.chapter.money import ALLOCATED, RECEIVED
from karez.chapter.sankey import Band, Node, svg_flow
from karez.kernel.printed import digits
from karez.wording.numbers import CHINESE, ENGLISH, programme_words

# Figure, area (None: the region), year (None: the chapter's) -> an address; empty where it leads nowhere.
Link = Callable[[str, int | None, int | None], str]
# What the map shows: the share of a county's poor villages that have a fund, or the nearest to it that there is.
COVERAGE = ("mutual_funds.coverage", "mutual_funds.village_share", "mutual_funds.villages_total")
_DRAWN = 30  # places drawn apart; the smallest of more stand together, and the table has them all
_STEP = 10_000  # yuan: amounts are told to this, where none is smaller


@dataclass(frozen=True)
class Cell:
    """A cell of a picture's table: a name or a number, and where it leads."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Picture:
    """A drawing with its title, what it shows in a sentence, and the table of its amounts: heads, rows, the unit of the
    numbers.
    """

    name: str
    title: str
    description: str
    svg: str
    figure: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Named:
    """A place by its names."""

    area_id: int
    name_en: str
    name_zh: str

    def name(self, language: str) -> str:
        """The name in a language, where it has one."""
        return (self.name_zh or self.name_en) if language == CHINESE else (self.name_en or self.name_zh)


def nowhere(_figure: str, _area_id: int | None = None, _year: int | None = None) -> str:
    """The link of what is printed."""
    return ""


def flow_picture(
    flow: Mapping[str, Any] | None,
    places: Mapping[str, Named],
    *,
    year: int,
    language: str,
    day: str = "",
    link: Link = nowhere,
    seen: Collection[str] | None = None,
) -> Picture | None:
    """Money of the year's lines from its source over its purpose to the counties, as of `day` (the year's end if
    empty).

    Places not `seen` (all, if None) stand together. Amounts that cannot be drawn to scale are told as a gap, above
    their table.
    """
    if not flow:
        return None
    w = _WORDS[language]
    title = w["flow_title"].format(year=year)
    if flow.get("gap"):
        return Picture("flow", title, w["flow_gap"], "", ALLOCATED)
    lines = sorted([*flow["lines"], *_unnamed(flow)], key=lambda x: (-Fraction(x["received"]), x["code"]))
    at = {x["code"]: n for n, x in enumerate(lines)}
    paid = _paid(flow, at, places, seen, language)
    rest = [
        Fraction(x["received"]) - sum((p.get(n, Fraction(0)) for p in paid.values()), Fraction(0))
        for n, x in enumerate(lines)
    ]
    amounts = (
        [v for p in paid.values() for v in p.values()]
        + [Fraction(x["received"]) for x in lines]
        + [r for r in rest if r > 0]
    )
    scale = _Scale.of(amounts, language)
    told = _flow_told(flow, year, day, scale, language)
    received = link(RECEIVED, None, None)
    rows = [
        _row(
            Cell(w["received"], received), {n: Fraction(x["received"]) for n, x in enumerate(lines)}, len(lines), scale
        )
    ]
    rows += [
        _row(Cell(name, link(ALLOCATED, area_id, None) if area_id else ""), parts, len(lines), scale)
        for (name, area_id), parts in paid.items()
    ]
    if any(r > 0 for r in rest):
        rows.append(_row(Cell(w["kept"]), dict(enumerate(rest)), len(lines), scale))
    purposes = list(dict.fromkeys(x["programme"] for x in lines))
    heads = (w["county"], *(_column_name(x, purposes, lines, language) for x in lines), w["sum"])
    if any(r < 0 for r in rest):
        return Picture(
            "flow", title, f"{told}{w['space']}{w['flow_undrawn']}", "", ALLOCATED, heads, tuple(rows), scale.unit
        )
    svg = _flow_drawn(lines, purposes, paid, rest, scale, link, language, title, told)
    return Picture("flow", title, told, svg, ALLOCATED, heads, tuple(rows), scale.unit) if svg else None


def _unnamed(flow: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lines that paid and of which nothing else is known, by their codes."""
    known = {x["code"] for x in flow["lines"]}
    codes = sorted({code for code, _value, _place in _split(flow)} - known)
    return [
        {"code": c, "name": c, "programme": "", "funder": c, "funder_en": c, "funder_zh": c, "received": "0"}
        for c in codes
    ]


def _flow_told(flow: Mapping[str, Any], year: int, day: str, scale: "_Scale", language: str) -> str:
    """What came in and went out in sentences: of the lines of the year, and beside them of those of earlier years."""
    w, split = _WORDS[language], _split(flow)
    total = sum((Fraction(x["received"]) for x in flow["lines"]), Fraction(0))
    given = sum((value for _line, value, _place in split), Fraction(0))
    told = w["flow_told"].format(
        year=year,
        day=_day_words(day or f"{year}-12-31", language),
        total=scale.words(total),
        given=scale.words(given),
        sources=_many(
            len({_funder(x) for x in flow["lines"] if Fraction(x["received"])}), w["source_one"], w["source_many"]
        ),
        counties=_many(len({place for _, _, place in split}), w["county_one"], w["county_many"]),
    )
    earlier = Fraction(flow.get("earlier", 0))
    if not earlier:
        return told
    return (
        told + w["space"] + w["flow_earlier"].format(year=year, earlier=_Scale.of([earlier], language).words(earlier))
    )


def _many(count: int, one: str, many: str) -> str:
    return (one if count == 1 else many).format(n=count)


def _day_words(day: str, language: str) -> str:
    with override(_SITE[language]):
        return date_format(date.fromisoformat(day), "Y年n月j日" if language == CHINESE else "j F Y")


def _funder(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Whose money a line is: by the funder's code, by the names where an edition does not tell it."""
    return (line["funder"],) if line.get("funder") else (line["funder_en"], line["funder_zh"])


def _flow_drawn(
    lines: Sequence[Mapping[str, Any]],
    purposes: Sequence[str],
    paid: Mapping[tuple[str, int | None], "_Parts"],
    rest: Sequence[Fraction],
    scale: "_Scale",
    link: Link,
    language: str,
    title: str,
    told: str,
) -> str:
    w, received = _WORDS[language], link(RECEIVED, None, None)
    drawn = _together(paid, w)
    if any(r > 0 for r in rest):
        drawn[w["kept"], None] = {n: r for n, r in enumerate(rest) if r > 0}
    bands = [
        Band(n, purposes.index(lines[n]["programme"]), k, value, scale.words(value))
        for k, parts in enumerate(drawn.values())
        for n, value in parts.items()
    ]
    return svg_flow(
        [
            Node(
                _source_name(x, lines, language),
                scale.words(Fraction(x["received"])),
                Fraction(x["received"]),
                received,
            )
            for x in lines
        ],
        [_purpose(p, lines, scale, language, received) for p in purposes],
        [
            Node(
                name,
                scale.number(sum(parts.values(), Fraction(0))),
                sum(parts.values(), Fraction(0)),
                link(ALLOCATED, area_id, None) if area_id else "",
            )
            for (name, area_id), parts in drawn.items()
        ],
        bands,
        heads=(w["source"], w["purpose"], w["county_in"].format(unit=scale.unit)),
        title=title,
        description=told,
    )


def capital_picture(
    states: Sequence[Mapping[str, Any]], labels: Mapping[str, str], *, language: str, link: Link = nowhere
) -> Picture | None:
    """The funds' capital by source: before the region's first year, and at the end of every year; `labels` name the
    figures.
    """
    if not states:
        return None
    w = _WORDS[language]
    scale = _Scale.of([Fraction(v) for s in states for v in s["values"].values()], language)
    names = [_SOURCES[language].get(i) or labels.get(i, i) for i in states[-1]["values"]]
    groups, rows = [], []
    for state in states:
        name = w[_when(state)].format(year=state["year"], day=state.get("as_of", ""))
        values = [(i, Fraction(v)) for i, v in state["values"].items()]
        links = [link(i, None, state["of"]) for i, _ in values]
        total = sum((v for _, v in values), Fraction(0))
        bars = tuple(
            Bar(v, scale.number(v), f"{name}, {label}{w['colon']}{scale.words(v)}", to)
            for (_, v), label, to in zip(values, names, links, strict=True)
        )
        groups.append(Group(name, f"{w['sum']}{w['colon']}{scale.number(total)}", bars))
        rows.append(
            (
                Cell(name),
                *(Cell(scale.number(v), to) for (_, v), to in zip(values, links, strict=True)),
                Cell(scale.number(total)),
            )
        )
    first, last = (sum((Fraction(v) for v in s["values"].values()), Fraction(0)) for s in (states[0], states[-1]))
    told = w["capital_told"].format(
        first=groups[0].name, before=scale.words(first), last=groups[-1].name, now=scale.words(last)
    )
    svg = svg_columns(groups, names, unit=scale.unit, title=w["capital_title"], description=told, prefix="capital")
    heads = (w["state"], *names, w["sum"])
    return (
        Picture("capital", w["capital_title"], told, svg, "mutual_funds.capital_total", heads, tuple(rows), scale.unit)
        if svg
        else None
    )


def _when(state: Mapping[str, Any]) -> str:
    """How a state is called: before a year, at its end, or on a day of it where the year is not over."""
    if state["opening"]:
        return "before"
    return "end_of" if str(state.get("as_of", "-12-31")).endswith("-12-31") else "on_day"


def coverage_picture(
    rows: Sequence[Mapping[str, Any]],
    *,
    region: str,
    language: str,
    link: Link = nowhere,
    outside: Collection[str] = (),
) -> Picture | None:
    """The counties by what they have of the first of COVERAGE that any of them has; `rows` are figures by county,
    `outside` those the reader is not shown.
    """
    w = _WORDS[language]
    for figure in COVERAGE:
        found = [r for r in rows if r["id"] == figure and r["level"] == "county"]
        if not any(r["exact"] is not None for r in found):
            continue
        first = worded(found[0], language)
        told = w["state_of"].format(day=first["as_of"])
        svg = county_map(
            found,
            region=region,
            day=first["as_of"],
            title=first["name"],
            unit=first["unit"],
            rounding=str(first["rounding"]),
            language=language,
            link=None if link is nowhere else _to_places(link, figure),
            description=told,
            prefix="coverage",
            outside=outside,
        )
        cells = tuple(
            (
                Cell(
                    (r.get("place_name_zh") if language == CHINESE else "") or r["place_name"],
                    link(figure, r["area_id"], None),
                ),
                Cell(r["number"] or r["gap"]),
            )
            for r in (worded(one, language) for one in found)
        )
        return Picture(
            "coverage",
            _capital_letter(first["name"]),
            told,
            svg,
            figure,
            (w["county"], first["name"]),
            cells,
            first["unit_words"],
        )
    return None


def _to_places(link: Link, figure: str) -> Callable[[int], str]:
    return lambda area_id: link(figure, area_id, None)


def placed(
    sections: Sequence[Section], pictures: Sequence[Picture | None]
) -> tuple[list[tuple[Section, list[Picture]]], list[Picture]]:
    """Each section with the pictures it asks for, and those that none asks for."""
    made = {p.name: p for p in pictures if p}
    asked = [(s, [made[name] for name in s.pictures if name in made]) for s in sections]
    taken = {p.name for _, ps in asked for p in ps}
    return asked, [p for name, p in made.items() if name not in taken]


def _capital_letter(text: str) -> str:
    return text[:1].upper() + text[1:]


# The parts of the flow.


def _split(flow: Mapping[str, Any]) -> list[tuple[str, Fraction, str]]:
    return [(line, Fraction(value), place) for line, place, value in flow["paid"]]


_Parts = dict[int, Fraction]


def _paid(
    flow: Mapping[str, Any],
    at: Mapping[str, int],
    places: Mapping[str, Named],
    seen: Collection[str] | None,
    language: str,
) -> dict[tuple[str, int | None], _Parts]:
    """(Name, area) -> source -> amount, the largest first; what lies outside the places seen comes last."""
    found: dict[tuple[str, int | None], _Parts] = {}
    for line, value, code in _split(flow):
        told = places[code]
        key = (
            (told.name(language), told.area_id)
            if seen is None or code in seen
            else (_WORDS[language]["elsewhere"], None)
        )
        parts = found.setdefault(key, {})
        parts[at[line]] = parts.get(at[line], Fraction(0)) + value
    ordered = sorted(
        found.items(), key=lambda item: (item[0][1] is None, -sum(item[1].values(), Fraction(0)), item[0][1] or 0)
    )
    return {key: dict(sorted(parts.items())) for key, parts in ordered}


def _together(
    paid: Mapping[tuple[str, int | None], _Parts], w: Mapping[str, str]
) -> dict[tuple[str, int | None], _Parts]:
    """At most so many places: the smallest of more as one."""
    if len(paid) <= _DRAWN:
        return dict(paid)
    items = list(paid.items())
    kept, others = items[: _DRAWN - 1], items[_DRAWN - 1 :]
    sums: _Parts = {}
    for _key, parts in others:
        for n, value in parts.items():
            sums[n] = sums.get(n, Fraction(0)) + value
    return {**dict(kept), (w["others"].format(n=len(others)), None): dict(sorted(sums.items()))}


def _purpose(programme: str, lines: Sequence[Mapping[str, Any]], scale: "_Scale", language: str, link: str) -> Node:
    value = sum((Fraction(x["received"]) for x in lines if x["programme"] == programme), Fraction(0))
    return Node(programme_words(programme, language), scale.words(value), value, link)


def _source_name(line: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], language: str) -> str:
    """The funder's name; with the line's code where a funder has several."""
    name = str((line["funder_zh"] if language == CHINESE else "") or line["funder_en"])
    several = sum(_funder(x) == _funder(line) for x in lines) > 1
    return f"{name} {line['code']}" if several else name


def _column_name(
    line: Mapping[str, Any], purposes: Sequence[str], lines: Sequence[Mapping[str, Any]], language: str
) -> str:
    name = _source_name(line, lines, language)
    return name if len(purposes) == 1 else f"{name} ({programme_words(line['programme'], language)})"


def _row(head: Cell, parts: Mapping[int, Fraction], many: int, scale: "_Scale") -> tuple[Cell, ...]:
    values = [parts.get(n) for n in range(many)]
    return (
        head,
        *(Cell(scale.number(v) if v else "–") for v in values),
        Cell(scale.number(sum((v for v in values if v), Fraction(0)))),
    )


@dataclass(frozen=True)
class _Scale:
    """How the amounts of a picture are written: all at one scale."""

    worth: int
    step: Fraction
    unit: str
    language: str

    @classmethod
    def of(cls, values: Sequence[Fraction], language: str) -> "_Scale":
        """Millions with two decimals in English, ten thousands in Chinese; yuan where an amount is too small for that."""
        if any(v and abs(v) < _STEP for v in values):
            return cls(1, Fraction(1), _WORDS[language]["yuan"], language)
        if language == CHINESE:
            return cls(10_000, Fraction(1), "万元", language)
        return cls(1_000_000, Fraction(1, 100), "million yuan", language)

    def number(self, value: Fraction) -> str:
        """The number alone."""
        text = digits(value / self.worth, self.step)
        return text.replace(",", "") if self.language == CHINESE else text

    def words(self, value: Fraction) -> str:
        """The number with its unit."""
        return f"{self.number(value)}{'' if self.language == CHINESE else ' '}{self.unit}"


_WORDS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "flow_title": "Where the money of {year} came from and where it went",
        "flow_told": (
            "Lines of {year}, as of {day}: {total} came in from {sources}; {given} of it was passed on to {counties}."
        ),
        "flow_earlier": "Of lines of earlier years, {earlier} was passed on in {year}; it is not drawn here.",
        "flow_gap": "This picture cannot be drawn: the snapshot's records of money do not tell it.",
        "flow_undrawn": "This cannot be drawn: of a line, more was passed on than came in.",
        "source_one": "one source",
        "source_many": "{n} sources",
        "county_one": "one county",
        "county_many": "{n} counties",
        "space": " ",
        "source": "Source",
        "purpose": "Purpose",
        "county": "County",
        "county_in": "County, {unit}",
        "received": "Received by the region",
        "sum": "Total",
        "kept": "Not yet passed on",
        "elsewhere": "Other places",
        "others": "{n} other counties",
        "yuan": "yuan",
        "colon": ": ",
        "capital_title": "Capital of the mutual funds by source and year",
        "before": "Before {year}",
        "end_of": "End of {year}",
        "on_day": "{day}",
        "state": "State",
        "capital_told": "{first}: {before}. {last}: {now}.",
        "state_of": "State of {day}.",
    },
    CHINESE: {
        "flow_title": "{year}年扶贫资金的来源与去向",
        "flow_told": "{year}年各批次资金，截至{day}：共到位{total}，来自{sources}；其中{given}已下拨{counties}。",
        "flow_earlier": "另有往年批次资金{earlier}于{year}年下拨，图中未列。",
        "flow_gap": "无法绘制此图：快照中的资金记录不足。",
        "flow_undrawn": "无法绘制此图：有批次的下拨额大于到位额。",
        "source_one": "{n}个来源",
        "source_many": "{n}个来源",
        "county_one": "{n}个县（市、区）",
        "county_many": "{n}个县（市、区）",
        "space": "",
        "source": "来源",
        "purpose": "用途",
        "county": "县（市、区）",
        "county_in": "县（市、区），{unit}",
        "received": "自治区到位资金",
        "sum": "合计",
        "kept": "尚未下拨",
        "elsewhere": "其他地区",
        "others": "其他{n}个县",
        "yuan": "元",
        "colon": "：",
        "capital_title": "历年互助资金总量（按来源）",
        "before": "{year}年以前",
        "end_of": "{year}年末",
        "on_day": "{day}",
        "state": "时点",
        "capital_told": "{first}：{before}。{last}：{now}。",
        "state_of": "数据截至{day}。",
    },
}

_SITE: Mapping[str, str] = {ENGLISH: "en", CHINESE: "zh-hans"}

# What the sources are called where they stand alone: the figures' own labels begin with "of which".
_SOURCES: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "mutual_funds.capital_government": "Government money",
        "mutual_funds.capital_members": "Members' own money",
    },
    CHINESE: {"mutual_funds.capital_government": "财政扶贫资金", "mutual_funds.capital_members": "农户互助金"},
}
