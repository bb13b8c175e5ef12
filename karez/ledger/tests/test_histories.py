"""Random histories of posting, preparing, approving, refusing and reversing, against a naive replay in plain Python."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from karez.kernel.refusal import Refusal
from karez.ledger import queries, services
from karez.ledger.models import Voucher
from karez.ledger.tests.conftest import DAY, World
from karez.ledger.tests.test_queries import failing

CODES = ("1001", "1002", "1301", "2001", "4001", "4003", "9999")
DEBIT, MONEY = {"1001", "1002", "1301"}, {"1001", "1002"}
LINE = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES), st.integers(1, 40)).filter(lambda x: x[0] != x[1])
VOUCHER = st.tuples(st.lists(LINE, min_size=1, max_size=3), st.integers(0, 40))
STEP = st.one_of(
    st.tuples(st.just("receive"), st.lists(VOUCHER, min_size=1, max_size=2)),
    st.tuples(st.just("prepare"), st.lists(VOUCHER, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["approve", "approve", "refuse", "reverse", "reverse"]), st.integers(0, 3)),
)


@dataclass
class Replay:
    """The book as a list of vouchers; every balance is added up anew from the beginning."""

    posted: list[tuple[int, list[tuple[str, str, int]], int]] = field(default_factory=list)  # (voucher id, lines, day)
    waiting: dict[int, tuple[list[tuple[list[tuple[str, str, int]], int]], int | None]] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)

    def balance(self, code: str, day: int = 10**6) -> int:
        total = 0
        for _id, lines, when in self.posted:
            for debit, credit, fen in lines:
                total += (fen * (debit == code) - fen * (credit == code)) * (when <= day)
        return total if code in DEBIT else -total

    def reserved(self, code: str) -> int:
        taken = 0
        for vouchers, _ in self.waiting.values():
            for lines, _day in vouchers:
                taken += drawn(lines, code)
        return taken

    def may_reserve(self, lines: list[tuple[str, str, int]]) -> bool:
        return all(
            code == "9999" or drawn(lines, code) == 0 or self.balance(code) - self.reserved(code) >= drawn(lines, code)
            for code in CODES
        )

    def may_receive(self, lines: list[tuple[str, str, int]]) -> bool:
        if any(debit not in MONEY or credit in MONEY for debit, credit, _ in lines):
            return False
        return all(
            code == "9999"
            or self.balance(code) - self.reserved(code) + drawn([(c, d, f) for d, c, f in lines], code)
            >= drawn(lines, code)
            for code in CODES
        )


def drawn(lines: list[tuple[str, str, int]], code: str) -> int:
    """What lines take from an account on its normal side."""
    return sum(fen for debit, credit, fen in lines if (credit if code in DEBIT else debit) == code)


def drafts(w: World, vouchers: list[tuple[list[tuple[str, str, int]], int]]) -> list[services.Draft]:
    a = w.accounts
    return [
        services.Draft(
            w.book.pk,
            DAY + timedelta(day),
            "x",
            "x",
            tuple(services.Line(a[d].pk, a[c].pk, f) for d, c, f in lines),
        )
        for lines, day in vouchers
    ]


def step(w: World, replay: Replay, verb: str, what: object) -> None:
    try:
        if verb == "receive":
            done = services.receive(w.treasurer, drafts(w, what))
            assert replay.may_receive([line for lines, _ in what for line in lines])
            replay.posted += [(p.voucher_id, lines, day) for p, (lines, day) in zip(done, what, strict=True)]
        elif verb == "prepare":
            set_id = services.prepare(w.treasurer, drafts(w, what))
            assert replay.may_reserve([line for lines, _ in what for line in lines])
            replay.waiting[set_id] = (list(what), None)
        elif verb == "reverse" and replay.posted:
            reverse(w, replay, replay.posted[what % len(replay.posted)])
        elif replay.waiting and verb in ("approve", "refuse"):
            set_id = list(replay.waiting)[what % len(replay.waiting)]
            if verb == "approve":
                done = services.approve(w.approver, set_id)
                vouchers, _ = replay.waiting.pop(set_id)
                replay.posted += [(p.voucher_id, lines, day) for p, (lines, day) in zip(done, vouchers, strict=True)]
            else:
                services.refuse_set(w.approver, set_id, "no")
                _, undone = replay.waiting.pop(set_id)
                replay.reversed -= {undone}
    except Refusal as refused:
        lines = [line for one, _ in what for line in one] if isinstance(what, list) else []
        if verb == "receive":
            assert not replay.may_receive(lines), refused  # noqa: PT017 - the refusal is compared
        elif verb == "prepare":
            assert not replay.may_reserve(lines), refused  # noqa: PT017 - the refusal is compared
        else:
            raise


def reverse(w: World, replay: Replay, target: tuple[int, list[tuple[str, str, int]], int]) -> None:
    voucher_id, lines, day = target
    mirrored = [(credit, debit, fen) for debit, credit, fen in lines]
    is_reversal = Voucher.objects.get(pk=voucher_id).reverses_id is not None
    allowed = voucher_id not in replay.reversed and not is_reversal and replay.may_reserve(mirrored)
    try:
        set_id = services.prepare_reversal(w.treasurer, voucher_id, "wrong")
    except Refusal as refused:
        assert not allowed, refused  # noqa: PT017 - the refusal is compared
    else:
        assert allowed
        replay.reversed.add(voucher_id)
        replay.waiting[set_id] = ([(mirrored, day)], voucher_id)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(STEP, max_size=25))
def test_any_history_agrees_with_its_replay(world: World, history: list[tuple[str, object]]) -> None:
    undo = transaction.atomic()
    undo.__enter__()
    try:
        replay = Replay()
        # Something to work with: a grant on the bank, contributions in cash.
        first = [([("1002", "9999", 100), ("1001", "2001", 60)], 0)]
        set_id = services.prepare(world.treasurer, drafts(world, first))
        replay.posted = [(services.approve(world.approver, set_id)[0].voucher_id, first[0][0], 0)]
        for verb, what in history:
            step(world, replay, verb, what)
        for code in CODES:
            account = world.account(code)
            assert (account.balance_fen, account.reserved_fen) == (
                replay.balance(code),
                replay.reserved(code),
            ), code
        for day in (0, 3, 20, 40):
            rows = queries.trial_balance(world.approver, world.book.pk, DAY + timedelta(day)).rows
            assert {r.code: r.balance_fen for r in rows} == {code: replay.balance(code, day) for code in CODES}
        numbers = Voucher.objects.filter(posted_at__isnull=False).order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, len(replay.posted) + 1))
        assert set(failing()) <= {"ledger_pending", "ledger_overdrawn_on_a_day"}
    finally:
        transaction.set_rollback(True)
        undo.__exit__(None, None, None)
