"""The files of a year through intake: loaded in order, every fault by row, taken back; and each file alone against its
rules.
"""

import io
from datetime import date
from typing import Any

import pytest

from karez.access.services import end_founding
from karez.funds import services as funds
from karez.intake import services as intake
from karez.intake.models import Batch, Fault
from karez.kernel.refusal import Refusal
from karez.ledger.models import Voucher
from karez.mutual_funds import proposals
from karez.mutual_funds.checks import CHECKS
from karez.mutual_funds.figure_tables import CAPITAL
from karez.mutual_funds.models import (
    Contribution,
    Grant,
    Instalment,
    Loan,
    Member,
    Opening,
    Repayment,
    Society,
)
from karez.mutual_funds.sheets import SHEETS
from karez.mutual_funds.tests.conftest import YUAN
from karez.mutual_funds.tests.test_figures import GIVEN, rows

OLD, NEW = "990101100200", "990101100201"
_RULES = "5000,360,0.8,100,2000,fee_first,surplus,1,1,1,0"
FILES = {
    "societies": f"""village,name,founded_on,size_class,loan_cap,term_cap_days,fee_rate_month,contribution_min,contribution_max,allocation_order,write_off_pot,open_loans_max,instalments,min_members,min_poor_share
{OLD},Old society,2007-06-01,old,{_RULES}
{NEW},New society,2009-02-01,small,{_RULES}
""",
    "society_openings": f"""village,grant,contributions,surplus,cash,bank,loans
{OLD},180000,1500,300,0,179800,2000
""",
    "grants": f"""village,source_line,granted_on,amount,document
{NEW},LGOP-2009-1,2009-03-01,150000,2009/7
{NEW},REGION-2009-1,2009-03-02,50000,2009/8
""",
    "fund_members": f"""村代码,户号,入社日期,户类型
{OLD},H1,2007-06-01,fund_member_only
{OLD},H2,2008-01-01,非建档户
{NEW},H1,2009-02-10,fund_member_only
{NEW},H2,2009-02-10,fund_member_only
""",
    "contributions": f"""village,household_no,paid_on,amount,kind,account
{OLD},H1,2007-06-01,1000,own,
{OLD},H2,2008-01-01,500,own,
{NEW},H1,2009-02-11,1200,own,cash
{NEW},H2,2009-02-11,1200,own,
{NEW},H2,2009-02-12,200,granted_base,
{NEW},H2,2009-11-02,200,refund,
""",
    "loans": f"""village,loan_no,household_no,lent_on,principal,term_days,purpose,account
{OLD},2008-1,H1,2008-11-01,2000,180,livestock,
{NEW},2009-1,H1,2009-03-05,1000,180,crops,cash
{NEW},2009-2,H2,2009-03-05,3000,180,养殖,
""",
    "repayments": f"""village,loan_no,paid_on,principal,fee
{OLD},2008-1,2009-04-30,2000,96
{NEW},2009-2,2009-06-05,356,144
{NEW},2009-2,2009-09-01,2644,0
""",
}


@pytest.fixture
def county(committed_world: Any) -> Any:
    """The shared region with money of two lines in the county, and a standard."""
    world, day = committed_world, date(2009, 1, 5)
    for code, kind, yuan in (("LGOP", "central_office", 150_000), ("REGION", "region_finance", 50_000)):
        funder = funds.add_funder(world.finance, code=code, name_en=code, kind=kind)
        line = funds.open_line(
            world.finance,
            code=f"{code}-2009-1",
            funder=funder,
            programme="mutual_funds",
            year=2009,
            document_no=code,
            name=code,
        )
        received = funds.prepare_appropriation(
            world.finance, line=line, amount_fen=yuan * YUAN, happened_on=day, reference=f"a{code}", document_no="1"
        )
        funds.approve(world.approver, received)
        passed = funds.prepare_allocation(
            world.finance,
            line=line,
            county_id=world.areas["990101"],
            amount_fen=yuan * YUAN,
            happened_on=day,
            reference=f"b{code}",
            document_no="2",
        )
        funds.approve(world.approver, passed)
    funds.set_standard(
        world.finance,
        programme="mutual_funds",
        size_class="small",
        low_fen=200_000 * YUAN,
        high_fen=200_000 * YUAN,
        starts_on=date(2009, 1, 1),
        document_no="3",
    )
    return world


def send(world: Any, sheet: str, text: str) -> Batch:
    """A file received and checked."""
    batch = intake.receive(world.finance, sheet=sheet, file_name=f"{sheet}.csv", stream=io.BytesIO(text.encode()))
    return intake.stage(batch.pk)


def load(world: Any, *sheets: str, **changed: str) -> dict[str, Batch]:
    """Files applied in the order of loading, up to the last one named."""
    done = {}
    for sheet in sheets or tuple(FILES):
        batch = send(world, sheet, changed.get(sheet, FILES[sheet]))
        assert batch.state == "checked", list(Fault.objects.filter(batch=batch).values_list("row_no", "rule", "found"))
        intake.apply(world.approver, batch_id=batch.pk)
        done[sheet] = intake.run_apply(batch.pk)
        assert done[sheet].state == "applied", done[sheet].trouble
    return done


def faults(world: Any, sheet: str, text: str) -> list[tuple[int, str]]:
    """The faults of a file: row and rule."""
    batch = send(world, sheet, text)
    assert batch.state == "faulty"
    return sorted(Fault.objects.filter(batch=batch).values_list("row_no", "rule"))


def test_a_year_goes_in_and_comes_out(county: Any) -> None:
    load(county)
    assert (Society.objects.count(), Opening.objects.count(), Member.objects.count()) == (2, 1, 4)
    assert sorted(Contribution.objects.values_list("kind", flat=True)) == [
        "granted_base",
        "opening",
        "opening",
        "own",
        "own",
        "refund",
    ]
    assert Grant.objects.count() == 2 and Loan.objects.filter(opening=True).count() == 1
    assert Instalment.objects.count() == 3 and Repayment.objects.count() == 3
    assert {check.name: rows(check.sql) for check in CHECKS} == {check.name: [] for check in CHECKS}
    capital: dict[str, dict[str, int]] = {}
    for row in rows(CAPITAL.sql):
        paid = capital.setdefault(
            row["size_class"], dict.fromkeys(("grant_fen", "contributions_fen", "surplus_fen"), 0)
        )
        for pot in paid:
            paid[pot] += row[pot]
    assert (capital["old"]["grant_fen"], capital["old"]["contributions_fen"]) == (180_000 * YUAN, 1_500 * YUAN)
    assert (capital["small"]["grant_fen"], capital["small"]["contributions_fen"]) == (200_000 * YUAN, 2_200 * YUAN)
    assert capital["old"]["surplus_fen"] == 39_600
    early = rows(CAPITAL.sql, GIVEN | {"as_of": date(2009, 1, 1)})
    assert sum(c["grant_fen"] for c in early) == 180_000 * YUAN


def test_batches_are_taken_back_last_first(county: Any) -> None:
    done = load(county)

    def withdraw(sheet: str) -> None:
        intake.ask_withdrawal(county.finance, batch_id=done[sheet].pk, reason="wrong file")
        intake.withdraw(county.approver, batch_id=done[sheet].pk)

    with pytest.raises(Refusal):
        withdraw("loans")
    for sheet in reversed(FILES):
        withdraw(sheet)
    assert not Society.objects.filter(voided_at=None).exists()
    assert {check.name: rows(check.sql) for check in CHECKS} == {check.name: [] for check in CHECKS}
    load(county, **{s: t + "\n" for s, t in FILES.items()})  # and the year can be loaded again


def test_a_file_that_moves_no_money_any_more_is_taken_back(county: Any) -> None:
    """Also when the first people are named, from when on the operator no longer acts for all."""
    load(county, "societies", "society_openings", "grants", "fund_members")
    end_founding()
    kinds = FILES["contributions"].splitlines()
    old_money = load(county, "contributions", contributions="\n".join(kinds[:3]))["contributions"]
    base = load(county, "contributions", contributions=f"{kinds[0]}\n{kinds[5]}\n")["contributions"]
    one_by_one = load(county, "contributions", contributions=f"{kinds[0]}\n{kinds[3]}\n{kinds[4]}\n")["contributions"]
    old_loans = load(county, "loans", loans="\n".join(FILES["loans"].splitlines()[:2]))["loans"]
    society = Society.objects.get(name="New society")
    for voucher in Voucher.objects.filter(batch_id=one_by_one.pk):
        proposals.approve(
            county.approver,
            proposals.prepare_reversal(county.finance, society=society, voucher_id=voucher.pk, reason="wrong"),
        )
    vouchers = Voucher.objects.count()
    for batch in (old_loans, one_by_one, base, old_money):
        assert batch.state == "applied"
        intake.ask_withdrawal(county.finance, batch_id=batch.pk, reason="wrong file")
        assert intake.withdraw(county.approver, batch_id=batch.pk).state == "withdrawn"
    assert not Contribution.objects.filter(voided_at=None).exists() and not Loan.objects.filter(voided_at=None).exists()
    assert Voucher.objects.count() == vouchers


def test_every_fault_is_named_by_row(county: Any) -> None:
    assert faults(county, "fund_members", FILES["fund_members"] + "\n") == [
        (n, "mutual_funds_society_known") for n in (2, 3, 4, 5)
    ]
    head = FILES["societies"].splitlines()[0]
    bad = f"{OLD},A,2007-06-01,old,5000,30,0.855,100,50,fee_first,surplus,1,31,1,0"
    assert faults(county, "societies", f"{head}\n{bad}\n") == [
        (2, f"mutual_funds_{rule}")
        for rule in ("contribution_limits_in_order", "fee_rate_two_decimals", "instalments_fit_term")
    ]
    load(county, "societies")
    assert faults(county, "societies", FILES["societies"] + "\n") == [
        (n, "mutual_funds_society_one_at_a_time") for n in (2, 3)
    ]
    assert faults(
        county, "society_openings", f"village,grant,contributions,bank,loans\n{OLD},5,5,9,0\n{NEW},0,0,0,0\n"
    ) == [
        (2, "mutual_funds_opening_pots_equal_money"),
        (3, "mutual_funds_opening_society_older"),
    ]
    load(county, "society_openings")
    head = FILES["grants"].splitlines()[0]
    text = f"""{head}
{NEW},LGOP-2009-1,2009-03-01,150001,a
{NEW},NONE,2009-03-01,1,a
{NEW},REGION-2009-1,2009-03-02,50000,b
{NEW},LGOP-2009-1,2008-12-31,1,c
"""
    assert faults(county, "grants", text) == [
        (2, "mutual_funds_grant_line_not_overdrawn"),
        (3, "mutual_funds_grant_line_known"),
        (4, "mutual_funds_grant_within_standard"),
        (5, "day_opened"),
        (5, "mutual_funds_society_known"),
    ]
    load(county, "grants", "fund_members")
    assert faults(
        county,
        "fund_members",
        f"village,household_no,joined_on,kind\n{NEW},H1,2009-03-01,registered\n{NEW},H9,2009-03-01,registered\n",
    ) == [
        (2, "mutual_funds_member_one_at_a_time"),
        (3, "mutual_funds_household_known"),
    ]


def test_money_faults_add_up_over_the_file(county: Any) -> None:
    load(county, "societies", "society_openings", "grants", "fund_members")
    head = FILES["contributions"].splitlines()[0]
    text = f"""{head}
{NEW},H1,2009-02-11,50,own,
{NEW},H2,2009-02-11,1500,own,
{NEW},H2,2009-02-12,600,own,
{NEW},H2,2009-02-13,2101,refund,
{NEW},H7,2009-02-13,100,own,
{OLD},H1,2008-02-13,1501,own,
{OLD},H2,2008-02-13,100,refund,
"""
    assert faults(county, "contributions", text) == [
        (2, "mutual_funds_contribution_within_limits"),
        (4, "mutual_funds_contribution_within_limits"),
        (5, "mutual_funds_refund_within_own"),
        (6, "mutual_funds_member_known"),
        (7, "mutual_funds_contributions_within_opening"),
        (8, "mutual_funds_contribution_day"),
        (8, "mutual_funds_refund_within_own"),
    ]
    load(county, "contributions")
    head = FILES["loans"].splitlines()[0]
    text = f"""{head}
{NEW},1,H1,2009-03-05,5001,180,crops,
{NEW},2,H2,2009-03-05,1000,361,crops,
{NEW},3,H2,2009-03-06,1000,30,crops,
{NEW},4,H8,2009-03-06,1000,30,crops,
{NEW},5,H1,2009-01-02,1000,30,crops,
{OLD},6,H2,2008-03-06,2001,30,crops,
{OLD},7,H1,2009-03-06,500,30,crops,cash
"""
    assert faults(county, "loans", text) == [
        (2, "mutual_funds_loan_within_cap"),
        (3, "mutual_funds_loan_within_term"),
        (4, "mutual_funds_loan_open_at_once"),
        (5, "mutual_funds_member_known"),
        (6, "mutual_funds_society_known"),
        (7, "mutual_funds_loans_within_opening"),
        (8, "mutual_funds_money_there"),
    ]
    load(county, "loans")
    head = FILES["repayments"].splitlines()[0]
    text = f"""{head}
{NEW},2009-2,2009-06-05,400,100
{NEW},2009-2,2009-06-06,2700,100
{NEW},2009-1,2009-03-04,0,1
{NEW},99,2009-03-04,0,1
{NEW},2009-1,2009-03-07,0,0
{OLD},2008-1,2008-12-31,10,0
"""
    assert faults(county, "repayments", text) == [
        (2, "mutual_funds_repayment_in_order"),
        (3, "mutual_funds_repayment_in_order"),
        (3, "mutual_funds_repayment_within_owed"),
        (4, "mutual_funds_repayment_not_before_loan"),
        (5, "mutual_funds_loan_known"),
        (6, "mutual_funds_repayment_not_empty"),
        (7, "day_opened"),
        (7, "mutual_funds_repayment_in_order"),
    ]


def test_a_file_returns_no_own_money_before_it_came_in(county: Any) -> None:
    load(
        county, "societies", "society_openings", "grants", "fund_members", "contributions"
    )  # H2: 1,200 in on 2009-02-11, 200 back on 2009-11-02
    head = FILES["contributions"].splitlines()[0]
    text = f"""{head}
{NEW},H1,2009-02-10,100,refund,
{NEW},H1,2009-02-11,100,refund,
{NEW},H2,2009-05-04,1001,refund,
{NEW},H2,2009-12-01,600,own,
{OLD},H1,2009-03-01,600,refund,
{OLD},H1,2009-02-01,600,refund,
{OLD},H1,2009-03-01,100,own,
{OLD},H2,2009-03-01,100,own,
{OLD},H2,2009-03-01,600,refund,
"""
    rule = "mutual_funds_refund_within_own"  # of two that are too much together, the later one is told
    assert faults(county, "contributions", text) == [(2, "mutual_funds_money_there"), (2, rule), (4, rule), (6, rule)]


def test_what_a_file_did_is_visible_in_one_voucher_a_day(county: Any) -> None:
    done = load(county)
    assert done["loans"].counts == {"loans": 3, "vouchers": 1}
    assert done["repayments"].counts == {"repayments": 3, "vouchers": 3}
    assert done["grants"].counts == {"grants": 2, "vouchers": 4}


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: s.name)
def test_headings_are_of_one_column_each(sheet: Any) -> None:
    from karez.intake.rules import heading_key

    keys = [heading_key(h) for c in sheet.columns for h in {heading_key(x): x for x in (c.name, *c.headers)}.values()]
    assert len(keys) == len(set(keys))
