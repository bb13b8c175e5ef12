"""Opening a closed year again on the page: one person asks with a reason, another agrees or declines. Holds no opening
itself.

Whoever asks may prepare a closing, whoever agrees may sign one, and they are two people. The sealed snapshot stays.
"""

import psycopg
from django.db import IntegrityError, transaction

from karez.access.models import Grant, User
from karez.access.rules import roles_with
from karez.closing import services
from karez.closing.models import Reopening, ReopeningAnswer
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.periods import services as periods
from karez.periods.models import Period, State
from karez.places.queries import may, require

ASK, AGREE = "closing.prepare", "closing.sign"


def ask_reopening(actor: User, *, year: int, reason: str) -> Reopening:
    """Asks that the last closed year be opened again; nothing changes until another person agrees."""
    require(actor, ASK, periods.region().area_id)
    _require_reason(year, reason)
    period = periods.period(year)
    if not is_last_closed(period):
        raise _not_now(
            year,
            say("state {state}", state=State(period.state).label),
            say("the last closed year"),
            say("open the later years again first"),
        )
    if waiting(period) is not None:
        raise _not_now(
            year, say("a request that waits for an answer"), say("no request yet"), say("wait until it is answered")
        )
    return Reopening.objects.create(
        year=year, snapshot=period.snapshot or "", reason=reason.strip(), asked_by_id=actor.pk
    )


def agree_to_reopening(actor: User, asked: Reopening) -> None:
    """Opens the year again, as another person than who asked; refuses what was answered, or overtaken by a later
    closing.
    """
    require(actor, AGREE, periods.region().area_id)
    if asked.asked_by_id == actor.pk:
        raise Refusal(
            "closing.same_person",
            record=say("year {year}", year=asked.year),
            found=say("{actor} asked for it", actor=actor),
            expected=say("another person to agree"),
            rule=say("a year is opened again by two people"),
            todo=say("wait for a colleague who may sign"),
        )
    _require_waiting(asked)
    try:
        services.reopen(
            User.objects.get(pk=asked.asked_by_id), actor, year=asked.year, reason=asked.reason, answers=asked.pk
        )
    except psycopg.errors.UniqueViolation as error:  # answered in the same moment; the session is not Django's
        raise _answered(asked) from error


def decline_reopening(actor: User, asked: Reopening, *, reason: str) -> ReopeningAnswer:
    """Declines it with a reason, or takes one's own back; the year stays closed."""
    if asked.asked_by_id != actor.pk:
        require(actor, AGREE, periods.region().area_id)
    _require_reason(asked.year, reason)
    _require_waiting(asked)
    try:
        with transaction.atomic():
            return ReopeningAnswer.objects.create(
                reopening=asked, agreed=False, reason=reason.strip(), answered_by_id=actor.pk
            )
    except IntegrityError as error:
        raise _answered(asked) from error


def waiting(period: Period) -> Reopening | None:
    """The request of a closed year that waits for an answer; one made before the year was closed anew waits no more."""
    if period.state != State.CLOSED:
        return None
    return Reopening.objects.filter(year=period.year, snapshot=period.snapshot, answer=None).order_by("-pk").first()


def is_last_closed(period: Period) -> bool:
    """Whether this is the year that can be opened again."""
    return period.state == State.CLOSED and periods.first_open_day().year == period.year + 1


def who_may_agree(asked_by_id: int | None) -> list[User]:
    """The people who may be the second, by name: all who may sign over the region, less the one who asked."""
    region = periods.region().area_id
    granted = Grant.objects.filter(role__in=roles_with(AGREE), voided_at=None).values("user_id")
    holders = User.objects.filter(is_active=True, pk__in=granted).order_by("full_name")
    return [user for user in holders if user.pk != asked_by_id and may(user, AGREE, region)]


def _require_waiting(asked: Reopening) -> None:
    found = waiting(periods.period(asked.year))
    if found is None or found.pk != asked.pk:
        raise _answered(asked)


def _require_reason(year: int, reason: str) -> None:
    if not reason.strip():
        raise _not_now(year, say("no reason"), say("why, in a few words"), say("write the reason"))


def _answered(asked: Reopening) -> Refusal:
    return _not_now(
        asked.year,
        say("a request already answered or overtaken"),
        say("a request that waits"),
        say("look at the year's history"),
    )


def _not_now(year: int, found: str, expected: str, todo: str) -> Refusal:
    return Refusal(
        "closing.not_reopened",
        record=say("year {year}", year=year),
        found=found,
        expected=expected,
        rule=say("only the last closed year is opened again, by two people, with a reason"),
        todo=todo,
    )
