"""The pages of village funds: a society founded, rules changed, a grant, a gift taken back by two people, and any day
looked at.
"""

import re
from datetime import date
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from karez.access.models import User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.mutual_funds import inbox, proposals, queries
from karez.mutual_funds.lists import GIFTS, LOANS, MEMBERS, SOCIETIES
from karez.mutual_funds.models import Gift, Grant, Loan, Proposal, Resolution, RuleSet, Society
from karez.mutual_funds.tests import entered
from karez.mutual_funds.tests.conftest import TERMS, YUAN, Fund, founded, rows
from karez.notices.models import Document
from karez.periods.as_of import as_of

RULES = {
    "loan_cap_fen": "3000", "term_cap_days": 180, "fee_rate_bp": 90, "contribution_min_fen": "100", "contribution_max_fen": "2000",
    "allocation_order": "fee_first", "write_off_pot": "surplus", "open_loans_max": 1, "instalments": 2, "min_members": 0,
    "min_poor_share": 0, "extension_days_max": 30,
}  # fmt: skip


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _send(user: User, page: str, args: list[Any], **values: Any) -> Any:
    return signed_in(user).post(reverse(f"mutual_funds:{page}", args=args), values)


VILLAGE = "990101100200"  # of the fund's society
MINUTES = {"document_no": "2009/1", "document_on": "2009-05-01"}


def _village_without(fund: Fund) -> int:
    return next(
        pk
        for code, pk in fund.world.areas.items()
        if len(code) == 12 and not Society.objects.filter(area_id=pk).exists()
    )


def test_a_society_is_founded_by_two_people_on_its_village_s_page(fund: Fund) -> None:
    village, treasurer = _village_without(fund), fund.world.finance
    assert "Found a mutual fund" in signed_in(treasurer).get(reverse("places:area", args=[village])).content.decode()
    head = {"name": "New society", "founded_on": "2009-06-01", "size_class": "big"} | MINUTES
    wrong = _send(treasurer, "found", [village], **head, **RULES | {"contribution_max_fen": "50"})
    assert wrong.status_code == 422 and "Less than the least" in wrong.content.decode()
    ahead = _send(treasurer, "found", [village], **head | {"founded_on": "2199-01-01"}, **RULES)
    assert ahead.status_code == 409 and "mutual_funds.founding_day" in ahead.content.decode()
    answer = _send(treasurer, "found", [village], **head, **RULES)
    asked = Resolution.objects.get(area_id=village)
    assert answer["Location"] == reverse("mutual_funds:resolution", args=[asked.pk])
    assert not Society.objects.filter(area_id=village).exists()
    assert answer["Location"] in signed_in(treasurer).get(reverse("places:area", args=[village])).content.decode()
    twice = _send(treasurer, "found", [village], **head, **RULES)
    assert twice.status_code == 409 and "mutual_funds.already_waiting" in twice.content.decode()
    alone = _send(treasurer, "resolution", [asked.pk], approve="1")
    assert alone.status_code == 403 and not Society.objects.filter(area_id=village).exists()
    shown = signed_in(fund.approver).get(answer["Location"]).content.decode()
    assert "The first rules" in shown and "2009/1, 2009-05-01" in shown and "3,000.00" in shown
    assert _send(fund.approver, "resolution", [asked.pk], approve="1").status_code == 302
    made = Society.objects.get(area_id=village)
    assert (made.name, made.rule_sets.get().loan_cap_fen) == ("New society", 300_000)
    again = _send(treasurer, "found", [village], **head, **RULES)
    assert again.status_code == 409 and "New society, founded on 2009-06-01" in again.content.decode()
    assert "constraint" not in again.content.decode()
    assert _send(treasurer, "found", [fund.world.areas["990101"]], **head, **RULES).status_code == 404
    assert _send(fund.approver, "found", [village], **head, **RULES).status_code == 403


def test_new_rules_hold_when_another_agrees_and_old_loans_keep_theirs(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 1000)
    loan = fund.lend(fund.members[0], 500, "L1", day=date(2009, 4, 1))
    page = signed_in(fund.treasurer).get(reverse("mutual_funds:act", args=[fund.society.pk, "rules"])).content.decode()
    assert 'value="5000.00"' in page
    early = _send(fund.treasurer, "act", [fund.society.pk, "rules"], starts_on="2009-04-01", **RULES, **MINUTES)
    assert early.status_code == 409 and "mutual_funds.rules_day" in early.content.decode()
    before = _send(fund.treasurer, "act", [fund.society.pk, "rules"], starts_on="2009-04-20", **RULES, **MINUTES)
    assert before.status_code == 409 and "before the members" in before.content.decode()
    assert (
        _send(fund.treasurer, "act", [fund.society.pk, "rules"], starts_on="2009-05-01", **RULES, **MINUTES).status_code
        == 302
    )
    asked = Resolution.objects.get(kind="rules")
    assert RuleSet.objects.get(society=fund.society).ends_before is None  # until another agrees the old rules hold
    waits = signed_in(fund.approver).get(reverse("mutual_funds:waiting")).content.decode()
    assert reverse("mutual_funds:resolution", args=[asked.pk]) in waits
    assert [item.count for item in inbox.items(fund.approver)] == [1]
    assert [item.count for item in inbox.items(fund.treasurer)] in ([], [0])
    shown = signed_in(fund.approver).get(reverse("mutual_funds:resolution", args=[asked.pk])).content.decode()
    assert "5,000.00" in shown and "<strong>3,000.00</strong>" in shown and "2009/1" in shown
    paper = SimpleUploadedFile("minutes.txt", b"The members resolved it.")
    attached = signed_in(fund.world.finance).post(
        reverse("mutual_funds:attach", args=[asked.pk]), {"file": paper, "title": "Minutes"}
    )
    assert attached.status_code == 302 and Document.objects.get().kind == "mutual_funds_resolution"
    _send(fund.treasurer, "resolution", [asked.pk], approve="1")
    assert RuleSet.objects.filter(society=fund.society).count() == 1
    _send(fund.approver, "resolution", [asked.pk], approve="1")
    old, new = RuleSet.objects.filter(society=fund.society).order_by("starts_on")
    assert (old.ends_before, new.starts_on, new.instalments) == (date(2009, 5, 1), date(2009, 5, 1), 2)
    assert (new.prepared_by_id, new.approved_by_id, new.resolution_id) == (
        fund.treasurer.pk,
        fund.approver.pk,
        asked.pk,
    )
    assert (
        "2009/1"
        in signed_in(fund.treasurer).get(reverse("mutual_funds:society", args=[fund.society.pk])).content.decode()
    )
    loan.refresh_from_db()
    assert (loan.rule_set_id, loan.schedule.count()) == (old.pk, TERMS.instalments)
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=100, paid_on=date(2009, 6, 1))
    fund.pay_in(fund.members[1], 1000)
    assert fund.lend(fund.members[1], 300, "L2", day=date(2009, 6, 1)).schedule.count() == 2


def test_refused_rules_change_nothing(fund: Fund) -> None:
    _send(fund.treasurer, "act", [fund.society.pk, "rules"], starts_on="2009-05-01", **RULES, **MINUTES)
    asked = Resolution.objects.get(kind="rules")
    assert _send(fund.approver, "resolution", [asked.pk], refuse="1", reason=" ").status_code == 409
    _send(fund.approver, "resolution", [asked.pk], refuse="1", reason="no such meeting")
    late = _send(fund.approver, "resolution", [asked.pk], approve="1")
    assert late.status_code == 409
    assert RuleSet.objects.get(society=fund.society).ends_before is None
    assert (
        "no such meeting"
        in signed_in(fund.treasurer).get(reverse("mutual_funds:resolution", args=[asked.pk])).content.decode()
    )


def test_a_founding_on_which_nothing_stands_is_taken_back(fund: Fund) -> None:
    village = _village_without(fund)
    made = founded(fund.treasurer, fund.approver, area_id=village, name="By mistake", founded_on=date(2009, 6, 1))
    address = reverse("mutual_funds:society", args=[made.pk])
    back = reverse("mutual_funds:act", args=[made.pk, "take-back"])
    assert back in signed_in(fund.treasurer).get(address).content.decode()
    assert (
        reverse("mutual_funds:act", args=[fund.society.pk, "take-back"])
        not in signed_in(fund.treasurer).get(reverse("mutual_funds:society", args=[fund.society.pk])).content.decode()
    )
    built = _send(fund.treasurer, "act", [fund.society.pk, "take-back"], reason="wrong village")
    assert built.status_code == 409 and "mutual_funds.built_upon" in built.content.decode()
    assert _send(fund.treasurer, "act", [made.pk, "take-back"], reason="wrong village").status_code == 302
    asked = Resolution.objects.get(kind="take_back")
    gift = entered.accept_gift(fund.treasurer, society=made, giver="A firm", amount_fen=100, given_on=date(2009, 7, 1))[
        1
    ]
    assert (
        _send(fund.approver, "resolution", [asked.pk], approve="1").status_code == 409
    )  # something stands on it by now
    proposals.approve(
        fund.approver,
        proposals.prepare_reversal(fund.treasurer, society=made, voucher_id=gift.voucher_id, reason="not theirs"),
    )
    _send(fund.treasurer, "resolution", [asked.pk], approve="1")
    made.refresh_from_db()
    assert made.voided_at is None
    assert _send(fund.approver, "resolution", [asked.pk], approve="1").status_code == 302
    made.refresh_from_db()
    assert (made.void_reason, made.rule_sets.get().voided_at is None) == ("wrong village", False)
    page = signed_in(fund.treasurer).get(address).content.decode()
    assert "wrong village" in page and back not in page
    assert made.pk not in {one["id"] for one in rows(fund.treasurer, SOCIETIES)}
    assert _send(fund.treasurer, "act", [made.pk, "refund"], amount_fen="1").status_code == 404
    again = founded(fund.treasurer, fund.approver, area_id=village, name="Rightly", founded_on=date(2009, 6, 1))
    assert queries.society_of_area(fund.treasurer, village) == again


def test_a_grant_is_prepared_within_the_standard_and_approved_by_another(fund: Fund) -> None:
    address = reverse("mutual_funds:act", args=[fund.society.pk, "grant"])
    assert "LGOP-2009-1, 600,000.00" in signed_in(fund.treasurer).get(address).content.decode()
    values = {"line": fund.line.pk, "granted_on": "2009-03-02", "document_no": "2009/7"}
    over = _send(fund.treasurer, "act", [fund.society.pk, "grant"], amount_fen="200001", **values)
    assert over.status_code == 409 and "200,001.00 yuan in all, at most 200,000.00 yuan" in over.content.decode()
    early = _send(
        fund.treasurer, "act", [fund.society.pk, "grant"], amount_fen="200000", **values | {"granted_on": "2009-01-02"}
    )
    assert early.status_code == 409 and "mutual_funds.grant_to_society_there" in early.content.decode()
    assert _send(fund.treasurer, "act", [fund.society.pk, "grant"], amount_fen="200000", **values).status_code == 302
    waits = Proposal.objects.get()
    assert not Grant.objects.exists()
    signed_in(fund.treasurer).post(reverse("mutual_funds:proposal", args=[waits.pk]), {"approve": "1"})
    assert not Grant.objects.exists()
    _send(fund.approver, "proposal", [waits.pk], approve="1")
    assert Grant.objects.get().amount_fen == 200_000 * YUAN


def test_a_gift_is_taken_back_by_two_people(fund: Fund) -> None:
    given = {"village": VILLAGE, "giver": "A firm", "amount": "500", "given_on": "2009-03-02", "account": "bank"}
    assert signed_in(fund.treasurer).post(reverse("intake:enter", args=["gifts"]), given).status_code == 302
    gift = Gift.objects.get()
    voucher = rows(fund.treasurer, GIFTS, fund.society.pk)[0]["voucher_id"]
    page = signed_in(fund.treasurer).get(reverse("mutual_funds:society", args=[fund.society.pk])).content.decode()
    address = reverse("mutual_funds:take_back", args=[fund.society.pk, voucher])
    assert address in page and "A firm" in page
    assert "500.00" in signed_in(fund.treasurer).get(address).content.decode()
    assert _send(fund.treasurer, "take_back", [fund.other.pk, voucher], reason="x").status_code == 404
    _send(fund.treasurer, "take_back", [fund.society.pk, voucher], reason="never came")
    assert fund.balance("4002") == 500 * YUAN
    _send(fund.approver, "proposal", [Proposal.objects.get().pk], approve="1")
    gift.refresh_from_db()
    assert (gift.void_reason, fund.balance("4002")) == ("never came", 0)
    assert Gift.objects.filter(voided_at=None).count() == 0


def test_a_society_is_looked_at_as_of_a_day(fund: Fund) -> None:
    fund.pay_in(fund.members[0], 1000, day=date(2009, 3, 2))
    fund.lend(fund.members[0], 500, "the first loan", day=date(2009, 4, 1), days=180)
    address = reverse("mutual_funds:society", args=[fund.society.pk])
    client = signed_in(fund.treasurer)
    march = client.get(address, {"as_of": "2009-03-31"}).content.decode()
    assert "as of 2009-03-31" in march and "the first loan" not in march and "How lending goes, 2009" in march
    report = queries.report(fund.treasurer, fund.society.pk, date(2009, 3, 31))
    assert (report.cash_fen, report.contributions_fen, report.loans_fen, report.members) == (
        1000 * YUAN,
        1000 * YUAN,
        0,
        3,
    )
    assert queries.report(fund.treasurer, fund.society.pk, date(2009, 1, 15)).members == 0
    assert [m["own"] for m in rows(fund.treasurer, MEMBERS, fund.society.pk, date(2009, 3, 1))] == [0, 0, 0]
    assert rows(fund.treasurer, MEMBERS, fund.society.pk)[0]["own"] == 1000 * YUAN
    june = rows(fund.treasurer, LOANS, fund.society.pk, date(2009, 6, 1))
    assert [(row["days_late"], row["owed"]) for row in june] == [(0, 500 * YUAN)]
    assert rows(fund.treasurer, LOANS, fund.society.pk)[0]["days_late"] > 5000
    for nonsense in ("2009-13-01", "soon", "9999-01-01", ""):
        assert '<span class="now">now</span>' in client.get(address, {"as_of": nonsense}).content.decode()
    listed = rows(fund.treasurer, SOCIETIES, day=date(2009, 3, 31))[0]
    assert (listed["members"], listed["money"]) == (3, 1000 * YUAN)
    assert rows(fund.treasurer, SOCIETIES, day=date(2009, 1, 9)) == []
    assert "as of 2009-01-15" in client.get(reverse("mutual_funds:societies"), {"as_of": "2009-01-15"}).content.decode()
    assert Loan.objects.count() == 1


def test_long_after_a_closed_year_its_end_is_what_is_shown(fund: Fund) -> None:
    assert as_of().is_now
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT periods_prepare_close(2009, 1), periods_begin_close(2009, 2), periods_finish_close(2009, 'digest')"
        )
    found = as_of()
    assert (found.day, found.closed_end, found.is_now) == (date(2009, 12, 31), date(2009, 12, 31), False)
    page = signed_in(fund.treasurer).get(reverse("mutual_funds:society", args=[fund.society.pk])).content.decode()
    assert "as of 2009-12-31" in page and ">Today<" in page
    assert re.search(r"<dt>Fee for 30 days</dt>\s*<dd>0.80 %</dd>", page)
    today = (
        signed_in(fund.treasurer)
        .get(reverse("mutual_funds:societies"), {"as_of": date.today().isoformat()})
        .content.decode()
    )
    assert "End of the last closed year, 2009-12-31" in today


def test_no_page_leads_where_its_reader_may_not_go(fund: Fund) -> None:
    """From a society, a loan, a line, the village and a member's household every link opens, for every role."""
    fund.pay_in(fund.members[0], 1_500)
    loan = fund.lend(fund.members[0], 1_000, "L1")
    entered.record_repayment(fund.treasurer, loan=loan, amount_fen=100 * YUAN, paid_on=date(2009, 4, 1))
    granted = {
        "society": fund.society,
        "line": fund.line,
        "amount_fen": 200_000 * YUAN,
        "granted_on": date(2009, 3, 2),
        "document_no": "g1",
    }
    proposals.approve(fund.approver, proposals.prepare_grant(fund.treasurer, **granted))
    officer = add_user(username="village_officer", full_name="A Village Officer", password=None)
    grant_role(None, user=officer, role=Role.VILLAGE_OFFICER, area_id=fund.society.area_id, starts_on=date(2009, 1, 1))
    roles = ("clerk", "township", "treasurer", "finance", "statistician")
    starts = [
        ("mutual_funds:society", fund.society.pk),
        ("mutual_funds:loan", loan.pk),
        ("funds:line", fund.line.pk),
        ("places:area", fund.society.area_id),
        ("register:household", fund.members[0].household_id),
    ]
    leads, opened = [], 0
    for user in (officer, *(getattr(fund.world, who) for who in roles)):
        client = signed_in(user)
        known: dict[str, int] = {}
        for name, key in starts:
            page = client.get(reverse(name, args=[key]))
            for address in (
                set(re.findall(r'<a [^>]*href="(/[^"?#]*)', page.content.decode().partition("<main")[2]))
                if page.status_code == 200
                else ()
            ):
                known.setdefault(address, client.get(address).status_code)
                leads += [(str(user), name, address)] if known[address] not in {200, 302} else []
        opened += len(known)
    assert leads == [] and opened > 40
