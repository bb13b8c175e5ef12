"""Each verb once as it works, then every refusal."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from karez.funds import queries, services
from karez.funds.models import Allocation, Appropriation, SourceLine
from karez.funds.tests.conftest import MILLION, appropriate, make_line
from karez.kernel.refusal import Refusal
from karez.ledger import services as ledger
from karez.ledger.models import Transfer

DAY = date(2009, 4, 1)


def allocate(world: Any, line: SourceLine, fen: int, reference: str = "B-1", county: str = "990101") -> Any:
    return services.prepare_allocation(
        world.finance,
        line=line,
        county_id=world.areas[county],
        amount_fen=fen,
        happened_on=DAY,
        reference=reference,
        document_no="Doc 2",
    )


def balances(world: Any) -> dict[tuple[str, str], int]:
    return {(b.book_kind, b.area_name): b.balance_fen for b in queries.line_balances(world.auditor)}


def test_money_goes_from_funder_to_county(world: Any, line: SourceLine) -> None:
    made = appropriate(world, line, MILLION)
    assert (made.amount_fen, made.counts_on, made.recorded_by_id) == (MILLION, date(2009, 3, 2), world.finance.pk)
    passed = services.approve(world.approver, allocate(world, line, MILLION // 4))
    assert isinstance(passed, Allocation)
    assert balances(world) == {("office", "Shaquan"): MILLION * 3 // 4, ("county", "Liujing"): MILLION // 4}
    steps = queries.line_steps(world.auditor, line.pk)
    assert [(s.book_kind, s.comes_in, s.amount_fen) for s in steps] == [
        ("office", True, MILLION),
        ("office", False, MILLION // 4),
        ("county", True, MILLION // 4),
    ]
    assert {s.voucher_number for s in steps} == {1, 2}


def test_nothing_moves_until_a_second_person_approves(world: Any, line: SourceLine) -> None:
    appropriate(world, line, MILLION)
    proposal = allocate(world, line, MILLION)
    assert not Allocation.objects.exists()
    assert [b.available_fen for b in queries.line_balances(world.auditor) if b.book_kind == "office"] == [0]
    assert [p.pk for p in queries.waiting(world.approver)] == [proposal.pk]
    assert list(queries.waiting(world.clerk)) == []
    services.refuse(world.approver, proposal, reason="wrong county")
    assert [b.available_fen for b in queries.line_balances(world.auditor) if b.book_kind == "office"] == [MILLION]


def test_preparer_cannot_approve(world: Any, line: SourceLine) -> None:
    proposal = services.prepare_appropriation(
        world.finance, line=line, amount_fen=1, happened_on=DAY, reference="A-1", document_no="D"
    )
    with pytest.raises(Refusal) as no:
        services.approve(world.finance, proposal)
    assert no.value.code == "access.not_granted"


def test_allocation_within_appropriation(world: Any, line: SourceLine) -> None:
    appropriate(world, line, MILLION)
    with pytest.raises(Refusal) as no:
        allocate(world, line, MILLION + 1)
    assert no.value.code == "ledger.overdrawn"
    other = make_line(world, "2009-B")  # money of one line does not serve another
    with pytest.raises(Refusal, match="overdrawn"):
        allocate(world, other, 1)


def test_reversal_takes_record_and_money_back(world: Any, line: SourceLine) -> None:
    made = appropriate(world, line, MILLION)
    passed = services.approve(world.approver, allocate(world, line, MILLION))
    with pytest.raises(Refusal, match="overdrawn"):  # the county holds it now
        services.prepare_reversal(world.finance, record=made, reason="twice")
    void = services.approve(
        world.approver, services.prepare_reversal(world.finance, record=passed, reason="wrong county")
    )
    assert void.void_reason == "wrong county" and void.void_counts_on == DAY
    assert balances(world) == {("office", "Shaquan"): MILLION, ("county", "Liujing"): 0}
    gone = services.approve(world.approver, services.prepare_reversal(world.finance, record=made, reason="twice"))
    assert isinstance(gone, Appropriation) and gone.voided_by_id == world.approver.pk
    with pytest.raises(Refusal) as no:
        services.prepare_reversal(world.finance, record=gone, reason="again")
    assert no.value.code == "funds.already_void"
    appropriate(world, line, 5, reference=made.reference)  # its reference is free again


def test_set_posted_in_the_ledger_is_recorded_by_approval(world: Any, line: SourceLine) -> None:
    proposal = services.prepare_appropriation(
        world.finance, line=line, amount_fen=7, happened_on=DAY, reference="A-1", document_no="D"
    )
    ledger.approve(world.approver, proposal.set_id)
    assert services.approve(world.second_approver, proposal).amount_fen == 7
    with pytest.raises(Refusal) as no:
        services.approve(world.second_approver, proposal)
    assert no.value.code == "funds.reference_taken"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_fen": 0}, "funds.amount"),
        ({"reference": " "}, "funds.text_missing"),
        ({"document_no": ""}, "funds.text_missing"),
        ({"reference": "A-1"}, "funds.reference_taken"),
    ],
)
def test_refused_appropriations(world: Any, line: SourceLine, change: dict[str, Any], code: str) -> None:
    appropriate(world, line, 5, reference="A-1")
    words = {"line": line, "amount_fen": 5, "happened_on": DAY, "reference": "A-2", "document_no": "D"} | change
    with pytest.raises(Refusal) as no:
        services.prepare_appropriation(world.finance, **words)
    assert no.value.code == code


def test_who_may_not(world: Any, line: SourceLine) -> None:
    for actor in (world.clerk, world.approver, world.auditor, world.treasurer):
        with pytest.raises(Refusal) as no:
            services.prepare_appropriation(
                actor, line=line, amount_fen=5, happened_on=DAY, reference="A-9", document_no="D"
            )
        assert no.value.code == "access.not_granted"


def test_codes_once(world: Any, line: SourceLine) -> None:
    with pytest.raises(Refusal) as no:
        services.add_funder(world.finance, code="F-2009-A", name_en="Other", kind="donor")
    assert no.value.code == "funds.code_taken"
    for change in ({"code": line.code, "document_no": "X"}, {"code": "new", "document_no": line.document_no}):
        words = {"funder": line.funder, "programme": "mutual_funds", "year": 2009, "name": "n"} | change
        with pytest.raises(Refusal) as no:
            services.open_line(world.finance, **words)
        assert no.value.code == "funds.code_taken"


def test_a_county_sees_its_own_money(world: Any, line: SourceLine) -> None:
    appropriate(world, line, MILLION)
    services.approve(world.approver, allocate(world, line, 100))
    services.approve(world.approver, allocate(world, line, 200, "B-2", "990102"))
    assert [b.balance_fen for b in queries.line_balances(world.clerk)] == [100]
    assert [s.amount_fen for s in queries.line_steps(world.other_clerk, line.pk)] == [200]
    assert [a.amount_fen for a in queries.allocations(world.clerk, line.pk)] == [100]
    assert queries.appropriations(world.clerk, line.pk) == []


def test_idle_money_is_first_in_first_out(world: Any, line: SourceLine) -> None:
    appropriate(world, line, 300, "A-1", date(2009, 1, 10))
    appropriate(world, line, 500, "A-2", date(2009, 2, 9))
    services.approve(world.approver, allocate(world, line, 400))
    idle = {
        (i.area_name, i.since, i.days): i.amount_fen for i in queries.idle_money(world.auditor, day=date(2009, 5, 1))
    }
    assert idle == {("Shaquan", date(2009, 2, 9), 81): 400, ("Liujing", DAY, 30): 400}
    assert [i.area_name for i in queries.idle_money(world.auditor, day=date(2009, 5, 1), at_least_days=31)] == [
        "Shaquan"
    ]
    before = queries.idle_money(world.auditor, day=date(2009, 3, 1))
    assert [i.amount_fen for i in before] == [300, 500]


def test_money_of_before_the_first_year_counts_from_its_first_day(world: Any, line: SourceLine) -> None:
    made = appropriate(world, line, 9, day=date(2008, 11, 3))
    assert (made.happened_on, made.counts_on) == (date(2008, 11, 3), date(2009, 1, 1))
    assert Transfer.objects.get(pk=made.transfer_id).voucher.happened_on == date(2008, 11, 3)


def test_standards(world: Any) -> None:
    words = {"programme": "mutual_funds", "document_no": "D"}
    old = services.set_standard(
        world.finance, size_class="any", low_fen=15_000_000, high_fen=20_000_000, starts_on=date(2006, 5, 1), **words
    )
    with pytest.raises(Refusal) as no:  # `any` stands in the way of `small`
        services.set_standard(
            world.finance, size_class="small", low_fen=1, high_fen=1, starts_on=date(2009, 1, 1), **words
        )
    assert no.value.code == "funds.standard_refused"
    services.end_standard(world.approver, old, ends_before=date(2009, 1, 1), reason="raised")
    with pytest.raises(Refusal) as no:
        services.end_standard(world.approver, old, ends_before=date(2009, 2, 1), reason="again")
    assert no.value.code == "funds.already_ended"
    for size, fen in (("small", 20_000_000), ("big", 30_000_000)):
        services.set_standard(
            world.finance, size_class=size, low_fen=fen, high_fen=fen, starts_on=date(2009, 1, 1), **words
        )
    assert {s.size_class for s in queries.all_standards(world.finance)} == {"any", "big", "small"}


def test_targets(world: Any) -> None:
    words = {
        "code": "mutual_funds.villages",
        "label": "villages",
        "planned": None,
        "unit": "villages",
        "document_no": "D",
    }
    services.set_target(world.finance, from_year=2009, until_year=2011, adopted_on=date(2009, 1, 1), **words)
    with pytest.raises(Refusal) as no:
        services.set_target(world.finance, from_year=2010, until_year=2011, adopted_on=date(2009, 6, 1), **words)
    assert no.value.code == "funds.target_refused"


def test_pages_tell_a_programme_in_words(world: Any, funded: Callable[[], SourceLine]) -> None:
    address = f"/funds/lines/{funded().pk}/"
    for language, words in (("en", "village mutual funds"), ("zh-hans", "村级互助资金")):
        client = Client(headers={"accept-language": language})
        client.force_login(world.finance, backend="allauth.account.auth_backends.AuthenticationBackend")
        for page in ("/funds/", address):
            said = client.get(page).content.decode()
            assert words in said and "mutual_funds</td>" not in said
