"""Each verb once as it works, then what it refuses."""

from dataclasses import replace
from datetime import date

import pytest

from karez.kernel.refusal import Refusal
from karez.ledger import services
from karez.ledger.models import Transfer, Voucher
from karez.ledger.services import Draft, Line
from karez.ledger.tests.conftest import DAY, World, make_book


def test_a_receipt_posts_at_once_with_a_number_of_its_own(world: World) -> None:
    first, second = world.paid_in(100_00), world.paid_in(50_00)
    assert (first.number, first.receipt_number, second.number, second.receipt_number) == (1, 1, 2, 2)
    assert world.account("1001").balance_fen == 150_00
    assert Transfer.objects.get(pk=second.transfer_ids[0]).amount_fen == 50_00


def test_money_out_is_prepared_reserved_and_approved_by_another(world: World) -> None:
    world.paid_in(100_00)
    set_id = services.prepare(world.treasurer, [world.draft("1301", "1001", 60_00)])
    cash = world.account("1001")
    assert (cash.balance_fen, cash.reserved_fen, cash.available_fen) == (100_00, 60_00, 40_00)
    posted = services.approve(world.approver, set_id)
    assert [p.number for p in posted] == [2]
    assert posted[0].receipt_number is None
    cash = world.account("1001")
    assert (cash.balance_fen, cash.reserved_fen) == (40_00, 0)
    assert Voucher.objects.get(pk=posted[0].voucher_id).approved_by_id == world.approver.pk


def refused(code: str) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(Refusal, check=lambda e: e.code == code)


def test_a_set_posts_in_several_books_or_not_at_all(world: World) -> None:
    other, accounts, _ = make_book(world.treasurer, world.county_id, "Second")
    out = Draft(other.pk, DAY, "test", "out", (Line(accounts["1301"].pk, accounts["1001"].pk, 1),))
    world.paid_in(10_00)
    with refused("ledger.overdrawn") as told:
        services.prepare(world.treasurer, [world.draft("1301", "1001", 5_00), out])
    assert "Cash of Second" in told.value.record
    assert "available 0 fen, to be drawn 1 fen" in told.value.found
    assert world.account("1001").reserved_fen == 0
    both = replace(out, lines=(Line(accounts["1002"].pk, accounts["9999"].pk, 7_00),))
    set_id = services.prepare(world.treasurer, [both, world.draft("1301", "1001", 5_00), both])
    posted = services.approve(world.approver, set_id)
    assert [p.number for p in posted] == [1, 2, 2]
    assert [Voucher.objects.get(pk=p.voucher_id).book_id for p in posted] == [
        other.pk,
        world.book.pk,
        other.pk,
    ]


def test_a_refused_set_gives_back_what_it_reserved(world: World) -> None:
    world.paid_in(10_00)
    set_id = services.prepare(world.treasurer, [world.draft("1301", "1001", 8_00)])
    with refused("ledger.overdrawn"):
        services.prepare(world.treasurer, [world.draft("1301", "1001", 3_00)])
    with refused("ledger.reason_missing"):
        services.refuse_set(world.approver, set_id, " ")
    services.refuse_set(world.approver, set_id, "no list of borrowers")
    assert world.account("1001").available_fen == 10_00
    for again in (
        lambda: services.approve(world.approver, set_id),
        lambda: services.refuse_set(world.approver, set_id, "x"),
    ):
        with refused("ledger.already_decided"):
            again()


def test_who_prepared_does_not_approve(world: World) -> None:
    world.paid_in(10_00)
    set_id = services.prepare(world.treasurer, [world.draft("1301", "1001", 8_00)])
    with refused("access.not_granted"):
        services.approve(world.colleague, set_id)  # a treasurer may not approve at all
    with refused("ledger.four_eyes"):
        services.approve(world.treasurer, set_id, permission="ledger.prepare")
    services.refuse_set(world.treasurer, set_id, "withdrawn")  # one's own may be taken back


def test_permission_follows_the_book(world: World) -> None:
    with refused("access.not_granted"):
        services.receive(world.stranger, [world.draft("1001", "2001", 1)])
    with refused("access.not_granted"):
        services.prepare(world.approver, [world.draft("1001", "2001", 1)])
    with refused("not_found.ledger_book"):
        services.receive(world.treasurer, [replace(world.draft("1001", "2001", 1), book_id=10**9)])
    with refused("not_found.ledger_set"):
        services.approve(world.approver, 10**9)


def test_one_person_alone_only_takes_money_in(world: World) -> None:
    world.paid_in(10_00)
    for debit, credit in (("1301", "1001"), ("1002", "1001"), ("1301", "4003"), ("2001", "4003")):
        with refused("ledger.not_a_receipt"):
            services.receive(world.treasurer, [world.draft(debit, credit, 1_00)])


def test_malformed_drafts_are_told_all_at_once(world: World) -> None:
    good = world.draft("1001", "2001", 1)
    bad = (
        replace(good, lines=(), narration=" "),
        replace(good, lines=(Line(1, 1, -5),), happened_on=date(2010, 1, 1)),
    )
    with refused("ledger.malformed") as told:
        services.receive(world.treasurer, bad)
    for word in (
        "voucher 1: no lines",
        "narration",
        "moves -5 fen",
        "one account on both sides",
        "before it happened",
    ):
        assert word in told.value.found
    with refused("ledger.account_of_another_book"):
        _other, accounts, _ = make_book(world.treasurer, world.county_id, "Second")
        services.receive(world.treasurer, [replace(good, lines=(Line(accounts["1001"].pk, accounts["2001"].pk, 1),))])


def test_a_reversal_is_linked_and_happens_once(world: World) -> None:
    paid = world.paid_in(10_00)
    set_id = services.prepare_reversal(world.treasurer, paid.voucher_id, "counted twice")
    assert world.account("2001").available_fen == 0
    with refused("ledger.not_reversible"):
        services.prepare_reversal(world.colleague, paid.voucher_id, "counted twice")
    services.refuse_set(world.approver, set_id, "not so")
    set_id = services.prepare_reversal(world.treasurer, paid.voucher_id, "counted twice after all")
    (reversal,) = services.approve(world.approver, set_id)
    assert Voucher.objects.get(pk=reversal.voucher_id).reverses_id == paid.voucher_id
    assert world.account("1001").balance_fen == 0
    for voucher_id in (paid.voucher_id, reversal.voucher_id):
        with refused("ledger.not_reversible"):
            services.prepare_reversal(world.treasurer, voucher_id, "again")


def test_numbers_start_anew_with_book_and_year(world: World) -> None:
    day = date(2010, 1, 5)
    assert [world.paid_in(1).number, world.paid_in(1, day).number, world.paid_in(1).number] == [1, 1, 2]


def test_cash_counts_are_countersigned_by_another(world: World) -> None:
    world.paid_in(10_00)
    count = services.count_cash(
        world.treasurer, account=world.accounts["1001"], counted_on=DAY, counted_fen=9_00, note="a coin short"
    )
    with refused("ledger.difference_unexplained"):
        services.count_cash(world.treasurer, account=world.accounts["1001"], counted_on=DAY, counted_fen=9_00, note=" ")
    assert (count.booked_fen, count.difference_fen) == (10_00, -1_00)
    with refused("ledger.cash_count"):
        services.countersign_cash(world.treasurer, count.pk)
    assert services.countersign_cash(world.approver, count.pk).countersigned_by_id == world.approver.pk
    with refused("ledger.cash_count"):
        services.countersign_cash(world.colleague, count.pk)
    with refused("ledger.cash_count"):
        services.count_cash(world.treasurer, account=world.accounts["1301"], counted_on=DAY, counted_fen=0)
