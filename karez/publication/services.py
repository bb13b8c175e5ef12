"""The only writers of editions: prepare, review, sign; and errata, proposed by one person and approved by another.

What is signed is a text with its digest (see content). Three people name the same digest; the database holds them
apart.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django.db import connection, transaction

from karez.access.models import User
from karez.chapter.compose import SUPPRESSED
from karez.closing.queries import verified_snapshot
from karez.closing.snapshots import Snapshot
from karez.figures.disclosure import RULES
from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal
from karez.periods.services import region as the_region
from karez.places.queries import require
from karez.publication.content import Content
from karez.publication.content_making import content_of
from karez.publication.models import Edition, EditionStep, Erratum, ErratumApproval, Step
from karez.publication.other_editions import given_away, is_count, unit_told
from karez.publication.queries import signed_contents

LEAST = RULES["person"].least
_NUMBER = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?", re.ASCII)
_COUNTED = ("villages", "counties", "prefectures", "loans")  # persons and households are known as counts
_NEXT = {None: Step.PREPARED, Step.PREPARED: Step.REVIEWED, Step.REVIEWED: Step.SIGNED}


def prepare_edition(actor: User, *, year: int, note: str = "") -> Edition:
    """A new edition of a sealed year's chapter, with `actor` as who prepared it; refuses where the same one is there
    already.
    """
    require(actor, "publication.prepare", the_region().area_id)
    snapshot = verified_snapshot(the_region().code, year)
    content = content_of(snapshot, signed_contents())
    with transaction.atomic():
        _one_at_a_time()
        last = Edition.objects.filter(year=year).order_by("-number").first()
        if last is not None and last.digest == content.digest:
            raise Refusal(
                "publication.same_edition",
                record=str(last),
                found=say("the same figures, sentences and suppressions"),
                expected=say("something that differs"),
                rule=say("an edition is made once"),
                todo=say("review and sign the edition that is there"),
            )
        edition = Edition.objects.create(
            year=year,
            number=last.number + 1 if last else 1,
            snapshot=snapshot.digest,
            content=content.text,
            digest=content.digest,
        )
        _step(actor, edition, Step.PREPARED, note)
    return edition


def review_edition(actor: User, edition_id: int, *, note: str = "") -> EditionStep:
    """`actor` has read the edition and stands for it; another person than who prepared it."""
    require(actor, "publication.review", the_region().area_id)
    with transaction.atomic():
        return _go_on(actor, edition_id, Step.REVIEWED, note)


def sign_edition(actor: User, edition_id: int, *, note: str = "") -> EditionStep:
    """Makes the edition public, if its snapshot still yields it to the letter; a third person."""
    require(actor, "publication.sign", the_region().area_id)
    edition = _edition(edition_id)
    snapshot = verified_snapshot(the_region().code, edition.year)
    signed = signed_contents()
    _refuse_changed(edition, snapshot, signed)
    with transaction.atomic():
        _one_at_a_time()
        # Working the content out takes long, so it is done before the lock, and once more where somebody signed
        # meanwhile.
        now = signed_contents()
        if _told(now) != _told(signed):
            _refuse_changed(edition, snapshot, now)
        return _go_on(actor, edition_id, Step.SIGNED, note)


def add_erratum(actor: User, edition_id: int, *, figure: str, corrected: str, reason: str, place: str = "") -> Erratum:
    """Proposes an erratum to a signed edition: the figure's right value in its unit, at a place by code (the region if
    empty).
    """
    require(actor, "publication.prepare", the_region().area_id)
    edition = _edition(edition_id)
    content = Content(edition.content)
    place = place or content.said["region"]["place"]
    found = content.cells.get((figure, place))
    if found is None or found[0] is None:
        held = found is not None and found[1] == SUPPRESSED
        raise Refusal(
            "publication.not_printed",
            record=say("{figure} at {place}", figure=figure, place=place),
            found=say("withheld") if held else say("no such value in the edition"),
            expected=say("a value that the edition prints"),
            rule=say("an erratum corrects what was printed, and tells nothing that was withheld"),
            todo=say("name a printed figure and the code of its place"),
        )
    exact = _exact(corrected, content.figures[figure])
    if exact == Fraction(found[0]) or not reason.strip():
        raise Refusal(
            "publication.empty_erratum",
            record=figure,
            found=say("the value that is printed") if reason.strip() else say("no reason"),
            expected=say("another value, and why"),
            rule=say("an erratum says what is right and why"),
            todo=say("give both"),
        )
    if not edition.steps.filter(step=Step.SIGNED).exists():
        raise _not_now(
            edition,
            say("an edition that is not signed"),
            say("a signed edition"),
            say("prepare the edition anew instead"),
        )
    _refuse_telling(edition, figure, place, exact)
    return Erratum.objects.create(
        edition=edition,
        figure=figure,
        place=place,
        printed=found[0],
        corrected=str(exact),
        reason=reason.strip(),
        by_id=actor.pk,
        name=actor.full_name,
    )


def approve_erratum(actor: User, erratum_id: int) -> ErratumApproval:
    """Lets an erratum stand beside its edition, as another person than who proposed it."""
    require(actor, "publication.sign", the_region().area_id)
    with transaction.atomic():
        _one_at_a_time()
        erratum = Erratum.objects.filter(pk=erratum_id).first()
        if erratum is None:
            raise Refusal(
                "not_found.erratum",
                record=str(erratum_id),
                found=say("no such erratum"),
                todo=say("choose one from the list"),
            )
        if erratum.by_id == actor.pk or ErratumApproval.objects.filter(erratum=erratum).exists():
            raise Refusal(
                "publication.second_person",
                record=str(erratum),
                found=say("who proposed it") if erratum.by_id == actor.pk else say("approved before"),
                expected=say("a second person, once"),
                rule=say("publishing needs two people"),
                todo=say("ask another approver"),
            )
        _refuse_telling(erratum.edition, erratum.figure, erratum.place, Fraction(erratum.corrected))
        return ErratumApproval.objects.create(
            erratum=erratum, author_id=erratum.by_id, by_id=actor.pk, name=actor.full_name
        )


def _refuse_changed(edition: Edition, snapshot: Snapshot, signed: Mapping[tuple[int, int], Content]) -> None:
    if snapshot.digest != edition.snapshot or content_of(snapshot, signed).digest != edition.digest:
        raise Refusal(
            "publication.edition_changed",
            record=str(edition),
            found=say("other figures, sentences or suppressions than were prepared"),
            expected=say("what the digest {digest} stands for", digest=edition.digest[:12]),
            rule=say("what is signed is what was prepared and reviewed"),
            todo=say("prepare a new edition and have it reviewed"),
        )


def _told(
    signed: Mapping[tuple[int, int], Content],
) -> dict[tuple[int, int], tuple[str, Mapping[tuple[str, str], str]]]:
    """What readers have been told: each signed edition's digest and its approved errata."""
    return {key: (content.digest, content.corrected) for key, content in signed.items()}


def _one_at_a_time() -> None:
    # The app may not lock rows it may not change; editions are few, so one lock serves them all.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publication_editions'))")


def _edition(edition_id: int) -> Edition:
    found = Edition.objects.filter(pk=edition_id).first()
    if found is None:
        raise Refusal(
            "not_found.edition",
            record=str(edition_id),
            found=say("no such edition"),
            todo=say("choose one from the list"),
        )
    return found


def _go_on(actor: User, edition_id: int, step: Step, note: str) -> EditionStep:
    _one_at_a_time()
    edition = _edition(edition_id)
    steps = list(edition.steps.order_by("pk"))
    last = Step(steps[-1].step) if steps else None
    if _NEXT.get(last) is not step:
        raise _not_now(
            edition,
            say("an edition that is {last}", last=last.value if last else say("not prepared")),
            say("what comes before {step}", step=step.value),
            say("see how far it is"),
        )
    if any(s.by_id == actor.pk for s in steps):
        raise Refusal(
            "publication.second_person",
            record=str(edition),
            found=say("{actor} has prepared or reviewed it", actor=actor),
            expected=say("three different people"),
            rule=say("a chapter is prepared, reviewed and signed by three people"),
            todo=say("ask somebody else"),
        )
    return _step(actor, edition, step, note)


def _step(actor: User, edition: Edition, step: Step, note: str) -> EditionStep:
    before = {Step.REVIEWED: Step.PREPARED, Step.SIGNED: Step.REVIEWED}.get(step)
    return EditionStep.objects.create(
        edition=edition,
        digest=edition.digest,
        step=step,
        follows=before,
        by_id=actor.pk,
        name=actor.full_name,
        note=note,
    )


def _not_now(edition: Edition, found: str, expected: str, todo: str) -> Refusal:
    return Refusal(
        "publication.not_now",
        record=str(edition),
        found=found,
        expected=expected,
        rule=say("prepared, reviewed, signed: in this order, each once"),
        todo=todo,
    )


def _exact(text: str, told: Mapping[str, Any]) -> Fraction:
    """The number that was written, in plain digits; a whole one of what is counted one by one, below zero only as a
    difference.
    """
    plain = text.strip()
    if len(plain) > 40 or not _NUMBER.fullmatch(plain):
        raise Refusal(
            "publication.no_number",
            record=told["id"],
            found=text[:60],
            expected=say("a number in the figure's unit"),
            rule=say("an erratum prints a number"),
            todo=say("write digits, with a point before decimals"),
        )
    exact = Fraction(plain.replace(",", ""))
    counted = told["kind"] in ("stock", "flow", "plan") and (is_count(told) or told["unit"] in _COUNTED)
    if counted and (exact.denominator != 1 or (exact < 0 and "-" not in told.get("formula", ""))):
        raise Refusal(
            "publication.no_count",
            record=told["id"],
            found=text[:60],
            expected=say("a whole number, zero or more"),
            rule=say("what is counted one by one has no fractions and is never below zero"),
            todo=say("write how many there are"),
        )
    return exact


def _refuse_telling(edition: Edition, figure: str, place: str, corrected: Fraction) -> None:
    """Refuses an erratum from which readers learn of few people, or what is withheld.

    What was printed and what is right tell their difference too; and with the right value, sums and shares tell others.
    """
    signed = signed_contents()
    content = signed[edition.year, edition.number]
    told = content.figures[figure]
    if unit_told(figure, content.figures) in RULES and is_count(told):
        known = {
            Fraction(exact)
            for exact in (content.cells[figure, place][0], content.corrected.get((figure, place)))
            if exact is not None
        }
        smallest = min(*(abs(one - corrected) or LEAST for one in known), abs(corrected) or LEAST, LEAST)
        if smallest < LEAST:
            raise Refusal(
                "publication.small_difference",
                record=figure,
                found=say(
                    "a correction from {printed} to {corrected}",
                    printed=Listing(map(str, sorted(known)), " and "),
                    corrected=corrected,
                ),
                expected=say("10 or more, and changed by 10 or more"),
                rule=say(
                    "printed and corrected values together tell of nobody in particular: fewer than 10 are not printed"
                ),
                todo=say("leave the value; the next edition carries the right one"),
            )
    if learnt := given_away(edition.year, edition.number, signed, figure, place, corrected):
        raise Refusal(
            "publication.erratum_tells",
            record=say("{figure} at {place}", figure=figure, place=place),
            found=say("other figures that readers could work out with it: {figures}", figures=Listing(learnt[:5])),
            expected=say(
                "an erratum from which nothing follows about fewer than 10 persons or households, nor what is withheld"
            ),
            rule=say("what is published together tells of nobody in particular"),
            todo=say("correct the other figures first, or leave the value: the next edition carries the right ones"),
        )
