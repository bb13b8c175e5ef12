"""What holds of every declared list, made from the declarations: scope, orders, filters, files, both languages, plans.

A list of a new room is in it by itself; only which sample record a list is held to has to be said below.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from karez.access.models import ReadEvent, User
from karez.kernel.facts import Fact
from karez.kernel.lists import RecordList
from karez.kernel.reading import while_reading
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Kind
from karez.mutual_funds import proposals
from karez.mutual_funds.models import Loan, Society
from karez.mutual_funds.tests import entered
from karez.records import exports, fetching, registry
from karez.records.asked import Asked, after, read
from karez.records.cells import Cells
from karez.records.pages import found_record
from karez.web.tests import samples
from karez.web.tests.reading import read as as_read

# The sample record a list is held to, by its page of record.
HELD_TO = {"mutual_funds.society": "society_id", "mutual_funds.loan": "loan_id"}
OURS, THEIRS = "990101", "990102"
ALL = 10_000


def _written(world: Any) -> dict[str, samples.Sample]:
    """Records of both counties; of ours several of each kind."""
    found = samples.build(world)
    society = Society.objects.get(pk=found[OURS].ids["society_id"])
    members = list(society.members.order_by("pk"))
    for n, member in enumerate(members[1:3], start=1):
        day = date(2009, 3, 2) + timedelta(days=n)
        entered.contribute(world.finance, member=member, amount_fen=60_000 * n, paid_on=day, receipt_no=f"R{n}")
        lent = {"member": member, "loan_no": f"M{n}", "principal_fen": 10_000 * n, "lent_on": day, "term_days": 90}
        loan = proposals.approve(
            world.approver, proposals.prepare_loan(world.finance, **lent, purpose=("crops", "trade")[n - 1])
        )
        assert isinstance(loan, Loan)
        entered.record_repayment(world.finance, loan=loan, amount_fen=1_000 * n, paid_on=day + timedelta(days=30))
    ours = Loan.objects.get(pk=found[OURS].ids["loan_id"])
    for n in range(2):
        day = date(2009, 5, 1 + n)
        entered.accept_gift(world.finance, society=society, giver=f"Giver {n}", amount_fen=100 + n, given_on=day)
        entered.record_repayment(world.finance, loan=ours, amount_fen=1_000, paid_on=day)
    return found


def _each(sample: samples.Sample) -> Iterator[tuple[RecordList, tuple[str, int] | None]]:
    """Every list, and of one that is held to records each way it can be."""
    for listed in registry.lists().values():
        if not listed.within:
            yield listed, None
        for page in listed.within:
            yield listed, (page, sample.ids[HELD_TO[page]])


def _asked(listed: RecordList, within: tuple[str, int] | None, **given: str) -> Asked:
    return read(listed, given, day=date.today(), within=within)


def _rows(actor: User, listed: RecordList, within: tuple[str, int] | None, **given: str) -> list[dict[str, Any]]:
    return fetching.page(actor, listed, _asked(listed, within, **given), limit=ALL).rows


def _page_by_page(actor: User, listed: RecordList, asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = fetching.page(actor, listed, asked, limit=1)
        found += page.rows
        assert len(found) <= ALL
        if not page.more:
            return found
        again = {"sort": ("-" if asked.descending else "") + asked.sort.name, "after": after(page.rows[-1], asked.sort)}
        asked = replace(asked, after=read(listed, again, day=asked.day, within=asked.within).after)
        assert asked.after is not None


def _client(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = language
    return client


def _addresses(listed: RecordList, within: tuple[str, int] | None) -> tuple[str, str]:
    if within:
        return tuple(reverse(f"records:{one}", args=[listed.name, *within]) for one in ("list_of", "file_of"))  # type: ignore[return-value]
    return tuple(reverse(f"records:{one}", args=[listed.name]) for one in ("list", "file"))  # type: ignore[return-value]


def test_what_holds_of_every_list(committed_world: Any) -> None:
    # One world for all of these walks: making it takes longer than walking.
    counties = _written(committed_world)
    _nobody_sees_a_row_of_another_county(committed_world, counties)
    _every_order_and_filter_pages_through_all_rows_once(committed_world, counties)
    _a_file_says_what_its_list_says(committed_world, counties)
    _pages_speak_both_languages_and_ask_no_more_for_more_rows(committed_world, counties)
    _what_cannot_be_read_is_told_in_one_answer(committed_world, counties)
    _the_page_of_what_was_paid_in_tells_its_history_and_prints_a_receipt(committed_world, counties)


def test_the_declarations_hold_together() -> None:
    lists, pages = registry.lists(), registry.pages()
    assert {name for listed in lists.values() for name in listed.within} <= HELD_TO.keys()
    one = lists["mutual_funds.grants"]
    wrong = replace(
        one, sorts=(replace(one.sorts[0], by=("no_such",)),), within={"no.page": "t.id"}, view="no.permission",
        columns=(*one.columns, one.columns[0], replace(one.columns[1], link=replace(one.columns[1].link, key="x y"))),
    )  # fmt: skip
    told = registry.faults_of_list(wrong, lists, pages)
    assert len(told) == 7 and all(
        any(part in fault for fault in told)
        for part in ("no column no_such", "no page of record no.page", "no permission no.permission", "two values called", "no value x", "no value y")
    )  # fmt: skip
    alone = replace(one, within={})
    assert any("no index" in fault for fault in registry.faults_of_list(alone, lists, pages))
    assert any("whole table" in fault for fault in registry.faults_of_list(alone, lists, pages))


def _nobody_sees_a_row_of_another_county(world: Any, counties: dict[str, samples.Sample]) -> None:
    for listed, within in _each(counties[OURS]):
        assert _rows(world.clerk, listed, within), f"{listed.name}: no sample row"
        mine = {row["id"] for row in _rows(world.regional, listed, within)}
        theirs = {row["id"] for row in _rows(world.other_clerk, listed, within)}
        if within:
            assert not theirs, listed.name
            assert not list(fetching.every_row(world.other_clerk, listed, _asked(listed, within)))
            with pytest.raises(Refusal) as no:
                found_record(world.other_clerk, registry.page_named(within[0]), within[1])
            assert no.value.is_nothing_here
            continue
        own = {row["id"] for row in _rows(world.clerk, listed, None)}
        assert own and theirs and not own & theirs and own | theirs == mine, listed.name
        county = str(world.areas[OURS])
        assert _rows(world.other_clerk, listed, None, place=county) == []
        assert {row["id"] for row in _rows(world.regional, listed, None, place=county)} == own
        written = fetching.every_row(world.other_clerk, listed, _asked(listed, None))
        assert {row["id"] for row in written} == theirs
    for page in registry.pages().values():
        if page.home or not issubclass(page.model, Fact):
            continue
        row: Any = page.model._default_manager.order_by("pk").first()
        assert row is not None, f"{page.name}: no sample record"
        assert found_record(world.regional, page, row.pk)["id"] == row.pk
        seen = [user for user in (world.clerk, world.other_clerk) if fetching.record(user, page, row.pk)]
        assert len(seen) == 1, page.name


def _every_order_and_filter_pages_through_all_rows_once(world: Any, counties: dict[str, samples.Sample]) -> None:
    for listed, within in _each(counties[OURS]):
        whole = {row["id"] for row in _rows(world.regional, listed, within)}
        for sort in listed.sorts:
            for name in (sort.name, f"-{sort.name}"):
                asked = _asked(listed, within, sort=name)
                rows = _page_by_page(world.regional, listed, asked)
                assert [row["id"] for row in rows] == [
                    r["id"] for r in _rows(world.regional, listed, within, sort=name)
                ]
                assert {row["id"] for row in rows} == whole and len(rows) == len(whole), f"{listed.name} by {name}"
                assert all(row[key] is not None for row in rows for key in sort.by), f"{listed.name}.{sort.name}"
        for one in (one for one in listed.columns if one.filtered):
            rows = _rows(world.regional, listed, within)
            if one.column.kind in (Kind.DATE, Kind.MONTH):
                whole_of = {row["id"] for row in rows if row[one.name] is not None}
                day = next(str(row[one.name]) for row in rows if row[one.name] is not None)
                parts = [
                    _page_by_page(world.regional, listed, _asked(listed, within, **{f"{one.name}_{end}": day}))
                    for end in ("from", "to")
                ]
                both = {row["id"] for row in rows if str(row[one.name]) == day}
                assert {r["id"] for r in parts[0]} & {r["id"] for r in parts[1]} == both
            else:
                whole_of = {row["id"] for row in rows if row[one.name] in one.words}
                parts = [
                    _page_by_page(world.regional, listed, _asked(listed, within, **{one.name: str(code)}))
                    for code in one.words
                ]
            assert {row["id"] for part in parts for row in part} == whole_of, f"{listed.name}.{one.name}"
        if listed.search:
            assert len(_rows(world.regional, listed, within, q="no such words")) == 0


def _a_file_says_what_its_list_says(world: Any, counties: dict[str, samples.Sample]) -> None:
    client = _client(world.clerk)
    for listed, within in _each(counties[OURS]):
        _page, address = _addresses(listed, within)
        if not listed.in_file:
            assert client.get(address, {"what_for": "a test"}).status_code == 404
            continue
        expected = list(exports.cells(listed, _rows(world.clerk, listed, within)))
        if listed.reads:
            assert client.get(address).status_code == 400, "a file of households' records needs a purpose"
        before = ReadEvent.objects.count()
        asked = {"what_for": "a test"}
        answer = client.get(address, asked | {"as": "csv"})
        head, *lines = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
        assert head == exports.headings(listed)
        guarded = [[f"'{c}" if str(c).startswith("=") else str(c) for c in row] for row in expected]
        assert lines == guarded and lines, listed.name
        answer = client.get(address, asked | {"as": "xlsx"})
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content))).get_sheet_by_index(0)
        top, *rows = sheet.to_python()
        assert top == head and len(rows) == len(expected)
        for made, row in zip(rows, expected, strict=True):
            for cell, value in zip(made, row, strict=True):
                same = cell == value if isinstance(value, str | date) else float(cell) == float(value)
                assert same, f"{listed.name}: {cell!r} in the workbook, {value!r} in the list"
        assert ReadEvent.objects.count() - before == (2 if listed.reads else 0), listed.name
    assert ReadEvent.objects.filter(purpose__endswith=": a test").exists()


def _pages_speak_both_languages_and_ask_no_more_for_more_rows(world: Any, counties: dict[str, samples.Sample]) -> None:
    for listed, within in _each(counties[OURS]):
        address, _file = _addresses(listed, within)
        english, chinese = (
            as_read(_client(world.regional, language).get(address).content.decode()) for language in ("en", "zh-hans")
        )
        titles = [re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page) for page in (english, chinese)]
        words = [[re.sub("<[^>]*>", "", title).strip() for title in one] for one in titles]
        assert len(words[0]) == len(words[1]) == len(listed.columns), listed.name
        alike = [one for one, other in zip(*words, strict=True) if one and one == other]
        assert not alike, f"{listed.name}: {alike} is not translated"
        assert english.count("aria-sort=") == len({sort.by[0] for sort in listed.sorts})
        assert '<tr><th scope="row"' in re.sub(r">\s+<", "><", english) and 'data-label="' in english
        counted = []
        for limit in (1, ALL):
            with while_reading(), CaptureQueriesContext(connection) as asked:
                page = fetching.page(world.regional, listed, _asked(listed, within), limit=limit)
                Cells(world.regional, listed, page.rows).cells(page.rows)
            counted.append(len(asked))
        assert counted[0] == counted[1] <= 7, f"{listed.name}: {counted} statements for one row and for all"


def test_every_order_of_a_whole_table_has_its_index(world: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off")
        for listed in registry.lists().values():
            for sort in listed.sorts if not listed.within else ():
                for name in (sort.name, f"-{sort.name}"):
                    first = _asked(listed, None, sort=name)
                    sql, values = fetching._select(world.regional, listed, first, limit=50)
                    cursor.execute(f"EXPLAIN {sql}", values)
                    plan = "\n".join(row[0] for row in cursor.fetchall())
                    ordered = plan.partition("SubPlan")[0]
                    given = "Sort Key" not in ordered or "Presorted Key" in ordered
                    assert sort.index in plan and given, f"{listed.name}: {plan}"


def _what_cannot_be_read_is_told_in_one_answer(world: Any, counties: dict[str, samples.Sample]) -> None:
    client = _client(world.clerk)
    address = reverse("mutual_funds:societies")
    wrong = {"sort": "colour", "size_class": "huge", "founded_on_from": "soon", "place": "here", "q": "x" * 70}
    answer = client.get(address, wrong)
    said = as_read(answer.content.decode())
    assert answer.status_code == 400 and "records.filters" in said
    for part in ("colour", "huge", "soon", "here", "at most 60 signs", "name, founded_on"):
        assert part in said, part
    crossed = client.get(address, {"founded_on_from": "2009-02-01", "founded_on_to": "2009-01-01"})
    assert crossed.status_code == 400
    for nonsense in ("[]", "x", "[1]", '["a"]', "[null,1]", '["a",true]', "[" * 900, '["\\ud800",1]', '["a",1e400]'):
        assert client.get(address, {"after": nonsense}).status_code == 200, nonsense
    assert client.get(reverse("records:list", args=["no.such"])).status_code == 404
    held = reverse("records:list_of", args=["mutual_funds.societies", "mutual_funds.society", 1])
    assert client.get(held).status_code == 404


def _the_page_of_what_was_paid_in_tells_its_history_and_prints_a_receipt(
    world: Any, counties: dict[str, samples.Sample]
) -> None:
    ids = counties[OURS].ids
    address = reverse("records:record", args=["mutual_funds.contribution", ids["contribution_id"]])
    page = as_read(_client(world.clerk).get(address).content.decode())
    receipt = page[page.index('class="card receipt"') :].partition("</section>")[0]
    society = Society.objects.get(pk=ids["society_id"])
    for part in (society.name, "500.00", "H1", "2009-03-02", "data-print"):
        assert part in receipt, part
    assert samples.PEOPLE[OURS] not in page
    assert str(world.finance) in page[page.index('id="history"') :]
    assert ReadEvent.objects.filter(kind="contribution", subject_id=ids["contribution_id"]).exists()
    voucher = fetching.record(world.clerk, registry.page_named("mutual_funds.contribution"), ids["contribution_id"])
    assert voucher is not None
    taken = proposals.prepare_reversal(
        world.finance, society=society, voucher_id=voucher["voucher_id"], reason="counted twice"
    )
    proposals.approve(world.approver, taken)
    void = as_read(_client(world.clerk).get(address).content.decode())
    assert "counted twice" in void and 'class="card receipt"' not in void
    assert _client(world.other_clerk).get(address).status_code == 404
