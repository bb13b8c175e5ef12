"""Years, places, printed chapters and what others published, side by side: what agrees, what is missing, who may see
what.
"""

import csv
import io
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.comparison import side_by_side
from karez.comparison.columns import (
    COMPUTED,
    PRINTED,
    Cell,
    Column,
    picture,
    printed_column,
    printed_rows,
    rows_of,
)
from karez.comparison.definitions import published_definition
from karez.comparison.package_file import Named
from karez.comparison.tests.test_package_file import zipped
from karez.figures import engine
from karez.figures.declarations import Declarations
from karez.funds.words import PROGRAMMES
from karez.kernel.printed import PrintedNumber, Qualifier
from karez.proofreader.views import EXAMPLES
from karez.publication.content import Content
from karez.publication.formats.open_data import open_data
from karez.publication.formats.publication import Publication
from karez.publication.tests.conftest import ClosedYear
from karez.wording.numbers import programme_words, unit_words

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ADDRESS = "/yearbook/side-by-side/"


def _client(user: Any, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend=BACKEND)
    return client


def _said(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def _column(kind: str, cells: dict[str, Cell], **more: Any) -> Column:
    return Column(**({"title": kind, "kind": kind, "year": 2009, "code": "64", "cells": cells, "labels": {}} | more))


def test_print_is_held_against_what_is_computed() -> None:
    printed = {
        "a.one": Cell(_n(85_500_000), "85,500,000", "yuan", printed=_p(85_500_000, 10_000)),
        "a.two": Cell(_n(300), "nearly 300", "villages", hedge="nearly", printed=_p(300, 1, "nearly")),
        "a.three": Cell(_n(7), "7", "persons", printed=_p(7)),
        "a.four": Cell(_n(7), "7", "persons", of_place="Xiji", printed=_p(7)),
    }
    computed = {
        i: Cell(_n(v), str(v), c.unit) for (i, c), v in zip(printed.items(), (85_504_000, 289, 8, 8), strict=True)
    }
    rows = rows_of([_column(COMPUTED, computed), _column(PRINTED, printed)], "en")
    assert [r.cells[1].verdict for r in rows] == ["agrees", "agrees", "differs", ""]  # type: ignore[union-attr]
    elsewhere = rows_of([_column(COMPUTED, computed, year=2010), _column(PRINTED, printed)], "en")
    assert {r.cells[1].verdict for r in elsewhere} == {""}  # type: ignore[union-attr]
    drawn = picture(rows[1], ["here", 'x"<y'])
    assert drawn.count("<rect") == 2
    assert 'class="hedged"' in drawn
    assert "&quot;&lt;y" in drawn
    assert picture(rows[3], ["a", "b"]) == ""  # the other speaks of another place


def _n(value: int) -> Any:
    from fractions import Fraction

    return Fraction(value)


def _p(value: int, rounding: int = 1, hedge: str = "") -> PrintedNumber:
    from decimal import Decimal

    qualifier = Qualifier(hedge) if hedge else Qualifier.ROUNDED if rounding > 1 else Qualifier.EXACT
    return PrintedNumber(Decimal(value), qualifier, Decimal(rounding))


def test_both_printed_chapters(world: Any) -> None:
    assert printed_column("xinjiang-2009", "Xinjiang 2009", "en").code == "65"
    answer = _client(world.clerk).get(ADDRESS, {"c": ["p-ningxia-2009", "p-xinjiang-2009"]})
    said = _said(answer)
    assert "66,400" in said and "1,664,900" in said
    assert "<svg" in answer.content.decode()
    assert "more stand in one column only" in said
    every = _said(_client(world.clerk).get(ADDRESS, {"c": ["p-ningxia-2009", "p-xinjiang-2009"], "all": "1"}))
    assert "not there" in every
    assert "Moyu County; Jimunai County" in every
    assert "并排" in _client(world.clerk, "zh-hans").get(ADDRESS).content.decode()
    assert Client().get(ADDRESS).status_code == 302
    assert Client().post(ADDRESS, {}).status_code == 302


def test_years_and_places_of_one_region(two_years: ClosedYear) -> None:
    region, (first, second) = two_years.region.region, two_years.region.counties
    client = _client(two_years.regional)
    form = client.get(ADDRESS).content.decode()
    assert f'value="2010-{region}"' in form and f'value="2009-{region}"' in form and f'value="2010-{first}"' in form
    said = client.get(ADDRESS, {"c": [f"2009-{region}", f"2010-{region}", f"2010-{second}"]}).content.decode()
    for year, value in ((2009, 29), (2010, 64)):
        assert f'<a href="{reverse("trace:trace", args=["99", year, "small.people"])}">{value}</a>' in said
    assert f'{reverse("trace:trace", args=["99", 2010, "small.people"])}?area={second}">20</a>' in said
    answer = client.get(ADDRESS, {"c": [f"2009-{region}", f"2010-{region}"], "form": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert [r[2:8:3] for r in rows if r[0] == "small.people"] == [["29", "64"]]
    # What does not exist is left out, nonsense too.
    odd = [
        "2008-1",
        "2009-99999",
        "2009-",
        "-",
        "p-../../etc/passwd",
        "p-nowhere",
        "x",
        f"2009-{region}" + "0" * 40,
        "²-³",
    ]
    assert client.get(ADDRESS, {"c": odd}).status_code == 200


def test_a_changed_definition_is_told_and_not_drawn(two_years: ClosedYear, monkeypatch: pytest.MonkeyPatch) -> None:
    region, client = two_years.region.region, _client(two_years.regional)
    asked = {"c": [f"2009-{region}", f"2010-{region}"]}
    said = client.get(ADDRESS, asked).content.decode()
    assert "counted by another definition" not in said and said.count('class="sidebars"') == 2
    known = engine.declared().figures
    later = [
        replace(f, valid_from=2010, **({"where_text": "role = 'other'"} if f.id == "small.people" else {}))
        for f in known
    ]
    monkeypatch.setattr(
        engine, "declarations", lambda: Declarations((*(replace(f, valid_before=2010) for f in known), *later))
    )
    said = client.get(ADDRESS, asked).content.decode()
    assert said.count("counted by another definition") == 1 and said.count('class="sidebars"') == 1
    rows = list(csv.reader(io.StringIO(client.get(ADDRESS, asked | {"form": "csv"}).content.decode())))
    assert [r[7] for r in rows if r[0].startswith("small.")] == ["value; another definition", "value"]


def test_a_formula_is_what_its_inputs_are() -> None:
    def package(where: str) -> dict[str, Named]:
        return {
            "a.x": Named("x", "", "u", _n(1), "a.y / 2"),
            "a.y": Named("y", "", "u", _n(1), "count(*)", "t", where),
            "a.z": Named("z", "", "u", _n(1)),
        }

    one, other = package("k = 1"), package("k = 2")
    assert published_definition("a.x", one).differs(published_definition("a.x", other))
    assert not published_definition("a.x", one).differs(published_definition("a.x", package(" k  = 1")))
    assert not published_definition("a.z", one).differs(published_definition("a.x", other))  # nobody tells


def test_what_is_printed_is_named_in_the_language(world: Any) -> None:
    for name in EXAMPLES:
        column = printed_column(name, name, "zh")
        assert all(zh and not re.search("[A-Za-z]", zh) for _en, zh in column.labels.values())
        for cell in column.cells.values():
            assert not re.search(
                "[A-Za-z]", unit_words(cell.unit, "zh").replace("%", "") + cell.of_place + cell.own_words
            ), cell
        for row in printed_rows(name)[0]:
            for language in ("en", "zh"):
                assert "_" not in programme_words(row.cells["programme"], language)
            assert not re.search("[A-Za-z]", programme_words(row.cells["programme"], "zh"))
            assert row.cells["programme"] in PROGRAMMES
    page = (
        _client(world.clerk, "zh-hans")
        .get(ADDRESS, {"c": ["p-ningxia-2009", "p-xinjiang-2009"], "all": "1"})
        .content.decode()
    )
    words = re.sub(r"<code>[^<]*</code>|<[^>]+>", " ", page[page.index("<table") : page.index("</table>")])
    assert sorted(set(re.findall("[A-Za-z]{2,}", words))) == []
    assert "墨玉县、吉木乃县" in words and "抗震安居房" in words


def _large(figures: int, value: str = "1") -> SimpleUploadedFile:
    rows = "".join(f"a.b{n},label {n},{value},yuan,1,99,P,2009-12-31\n" for n in range(figures))
    return SimpleUploadedFile("figures.csv", f"id,label,value,unit,rounding,place,place_name,as_of\n{rows}".encode())


def test_a_large_package_is_paged_and_a_larger_refused_whole(world: Any) -> None:
    client = _client(world.clerk)
    answer = client.post(ADDRESS, {"package": _large(701)})
    page = answer.content.decode()
    assert page.count("<code>a.b") == 300 and "1 to 300 of 701" in page
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    assert kept
    last = client.post(ADDRESS, {"kept": kept[1], "page": "3"}).content.decode()
    assert last.count("<code>a.b") == 101 and 'aria-current="page">3<' in last
    table = client.post(ADDRESS, {"kept": kept[1], "form": "csv"}).content.decode()
    assert table.count("a.b") == 701
    refused = client.post(ADDRESS, {"package": _large(5001)})
    assert (
        refused.status_code == 400
        and "more than 5,000 rows" in _said(refused)
        and 'name="kept"' not in refused.content.decode()
    )
    long = client.post(ADDRESS, {"package": _large(300, "9e999")})
    assert long.status_code == 400 and "at most 40 digits" in _said(long) and len(long.content) < 200_000


def test_an_address_sends_so_many(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "CALLS", 1)
    client = _client(world.clerk)
    assert client.post(ADDRESS, {"package": _large(2)}).status_code == 200
    later = client.post(ADDRESS, {"package": _large(2)})
    assert later.status_code == 429 and int(later["Retry-After"]) > 0
    assert "Too many files from your address" in _said(later)
    assert client.get(ADDRESS).status_code == 200


def test_only_granted_places(two_years: ClosedYear) -> None:
    first, second = two_years.region.counties
    clerk = add_user(username="clerk", full_name="Li Clerk", password=None)
    grant_role(None, user=clerk, role=Role.COUNTY_OFFICER, area_id=first, starts_on=date(2011, 1, 1))
    form = _client(clerk).get(ADDRESS).content.decode()
    assert f'value="2010-{first}"' in form
    assert f'value="2010-{second}"' not in form
    assert _client(clerk).get(ADDRESS, {"c": f"2010-{first}"}).status_code == 200
    refused = _client(clerk).get(ADDRESS, {"c": f"2010-{second}"})
    assert refused.status_code == 404  # as what is not there at all
    assert "small.people" not in refused.content.decode()


def _file(content: Content, name: str = "data.zip") -> SimpleUploadedFile:
    files = open_data(Publication(content))
    return SimpleUploadedFile(name, zipped({n.removeprefix("data/"): b for n, b in files.items()}))


def test_what_another_region_published(world: Any, content: Content) -> None:
    client = _client(world.clerk)
    answer = client.post(ADDRESS, {"c": "p-ningxia-2009", "package": _file(content)})
    said = _said(answer)
    assert answer.status_code == 200
    assert "85,500,000" in said and "Shaquan 2009" in said
    kept = re.search(r'name="kept" value="([^"]+)"', answer.content.decode())
    assert kept
    more = client.post(ADDRESS, {"kept": kept[1], "t": ["99", "990101"]})
    assert "Liujing 2009" in _said(more)
    assert "not disclosed" in _said(more)
    table = client.post(ADDRESS, {"kept": kept[1], "t": ["99", "990101"], "form": "csv"}).content.decode()
    assert "mutual_funds.member_households" in table and "suppressed" in table
    for broken in ("%%%", kept[1][:-20], "QUJD"):
        assert client.post(ADDRESS, {"kept": broken}).status_code == 400
    assert client.post(ADDRESS, {"c": "p-ningxia-2009"}).status_code == 400


def test_a_faulty_package_is_answered_whole_and_formulas_are_neutral(world: Any, content: Content) -> None:
    client = _client(world.clerk)
    sent = SimpleUploadedFile(
        "figures.csv",
        b"id,label,value,unit,rounding,place,place_name,as_of\na.b,<script>,x,yuan,0,99,P,2009-12-31\n=1,l,2,yuan,1,99,P,never\n",
    )
    answer = client.post(ADDRESS, {"package": sent})
    said = _said(answer)
    assert answer.status_code == 400
    assert "The file has 5 faults and is not shown" in said
    assert 'name="kept"' not in answer.content.decode()
    sent = SimpleUploadedFile(
        "figures.csv",
        b'id,label,value,unit,rounding,place,place_name,as_of\na.b,"-2+cmd|x!A1",-5,+u,1,99,"+P",2009-12-31\n',
    )
    answer = client.post(ADDRESS, {"package": sent, "form": "csv"})
    head, row = list(csv.reader(io.StringIO(answer.content.decode())))
    assert row == ["a.b", "'-2+cmd|x!A1", "-5", "'+u", "value"]
    assert head[2].startswith("'+P")
    assert "read as GB 18030" not in answer.content.decode()
    sent = SimpleUploadedFile(
        "figures.csv",
        "id,label,value,unit,rounding,place,place_name,as_of\na.b,村数,5,个,1,99,某区,2009-12-31\n".encode("gb18030"),
    )
    shown = client.post(ADDRESS, {"package": sent}).content.decode()
    assert "read as GB 18030" in shown and "某区" in shown


def test_too_much_is_refused(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = _client(world.clerk)
    assert (
        client.post(
            ADDRESS, {"package": SimpleUploadedFile("x.csv", b"0" * (side_by_side.MAX_BYTES + 100_000))}
        ).status_code
        == 413
    )
    many = [f"p-{n}" for n in ("ningxia-2009", "xinjiang-2009")] + [f"2009-{n}" for n in range(10)]
    assert "At most 8 columns" in _said(client.get(ADDRESS, {"c": many}))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.clerk, backend=BACKEND)
    assert strict.post(ADDRESS, {"kept": "x"}).status_code == 403
