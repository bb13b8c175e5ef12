"""People and their roles by those who look after users, within the areas they look after. Holds no rule about roles.

Roles belong to the room of access, which knows no tree; whether an area lies within the giver's is asked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from karez.access import proposals
from karez.access import services as access
from karez.access.models import Grant, GrantAnswer, GrantProposal, SignInEvent, User
from karez.access.queries import granted_area_ids, last_sign_in_event, last_sign_in_events, with_own_password
from karez.access.roles import Role
from karez.access.rules import CONFIRMED, LEVELS
from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal
from karez.places.models import Level, Tree
from karez.places.queries import holders_over, may, require, visible_areas

PERMISSION, SECOND = "users.manage", "users.confirm"


def give_role(actor: User, *, user: User, role: Role, area_id: int, starts_on: date) -> Grant | GrantProposal:
    """Gives a person a role over an area the actor looks after; refuses oneself and roles that exclude each other.

    A role that writes or reads identity (`CONFIRMED`) is proposed: it allows nothing until another person confirms it.
    """
    require(actor, PERMISSION, area_id)
    require_level(role, area_id)
    give = proposals.propose_role if role in CONFIRMED else access.grant_role
    return give(actor, user=user, role=role, area_id=area_id, starts_on=starts_on)


def require_level(role: Role, area_id: int) -> None:
    """Refuses (access.wrong_level) a role over an area of a level where it may not lie (`rules.LEVELS`); the database
    asks again.
    """
    area = Tree.objects.filter(pk=area_id).first()
    if area is not None and area.level not in LEVELS[role]:
        raise Refusal(
            "access.wrong_level",
            record=say("{label} over {code}", label=Role(role).label, code=area.code),
            found=say("a place of the level {level}", level=Level(area.level).label),
            expected=say(
                "a place of the level {levels}", levels=Listing((Level(one).label for one in LEVELS[role]), " or ")
            ),
            rule=say("nobody stands over a whole region with a village's role"),
            todo=say("choose the place the role is for, or another role"),
        )


def confirm_role(actor: User, proposal: GrantProposal) -> Grant:
    """Confirms a role another administrator proposed; refuses who may not be the second (`may_confirm`).

    Refuses too (access.proposer_left) where who proposed it no longer looks after the area; the database asks both
    again.
    """
    if actor.pk not in (proposal.proposed_by_id, proposal.user_id) and not may_confirm(actor, proposal):
        require(actor, PERMISSION, proposal.area_id)
    proposer = User.objects.get(pk=proposal.proposed_by_id)
    if not may(proposer, PERMISSION, proposal.area_id):
        raise Refusal(
            "access.proposer_left",
            record=str(proposal),
            found=say("proposed by {proposer}, who no longer looks after this area", proposer=proposer),
            expected=say("a proposal of an administrator of the area"),
            rule=say("roles are given by those who look after users"),
            todo=say("decline it, and have it proposed anew"),
        )
    return proposals.confirm_role(actor, proposal)


def decline_role(actor: User, proposal: GrantProposal, *, reason: str) -> GrantAnswer:
    """Declines a role another administrator proposed, or takes one's own proposal back; with a reason."""
    if actor.pk != proposal.proposed_by_id and not may_confirm(actor, proposal):
        require(actor, PERMISSION, proposal.area_id)
    return proposals.decline_role(actor, proposal, reason=reason)


def may_confirm(actor: User, proposal: GrantProposal) -> bool:
    """Whether the actor may be the second: another administrator of the area, or, where there is none who can sign in,
    an approver or regional officer of the area. Never who proposed it or would have it.
    """
    return _judged(actor, [proposal])[0].mine


def proposal(actor: User, proposal_id: int) -> GrantProposal:
    """One proposal the actor may know of; refuses another in the same words as one that does not exist."""
    found = _proposals(actor).filter(pk=proposal_id).first()
    if found is None:
        raise _unknown(say("proposal {proposal_id}", proposal_id=proposal_id))
    return found


@dataclass(frozen=True)
class Waiting:
    """A proposed role that waits, with its area; `mine` says the actor may be the second, `own` that they proposed it.

    `signed_in` says that the person has a password of their own, `stands` that who proposed still looks after the area.
    """

    proposal: GrantProposal
    area: Tree | None
    signed_in: bool
    stands: bool
    mine: bool
    own: bool


def waiting(actor: User) -> list[Waiting]:
    """Proposals without an answer that the actor may know of, oldest first."""
    return _judged(actor, list(_proposals(actor).filter(answer=None).order_by("pk")[:200]))


def _judged(actor: User, found: Sequence[GrantProposal]) -> list[Waiting]:
    """All of them with the same few questions to the database, however many there are."""
    if not found:
        return []
    areas = {p.area_id for p in found}
    trees = Tree.objects.in_bulk(areas)
    managers, seconds = holders_over(PERMISSION, areas), holders_over(SECOND, areas)
    own_password = with_own_password({p.user_id for p in found}.union(*managers.values()))

    def judged(one: GrantProposal) -> Waiting:
        two = {one.proposed_by_id, one.user_id}
        manage: frozenset[int] = managers.get(one.area_id, frozenset())
        alone = not (manage - two) & own_password  # no other administrator who can sign in
        second = actor.pk in manage or (alone and actor.pk in seconds.get(one.area_id, frozenset()))
        return Waiting(
            one,
            trees.get(one.area_id),
            signed_in=one.user_id in own_password,
            stands=one.proposed_by_id in manage,
            mine=second and actor.pk not in two,
            own=one.proposed_by_id == actor.pk,
        )

    return [judged(one) for one in found]


def may_know_proposals(actor: User) -> bool:
    """Whether the actor may be the second somewhere."""
    return bool(granted_area_ids(actor, SECOND))


def _proposals(actor: User) -> QuerySet[GrantProposal]:
    return GrantProposal.objects.select_related("user").filter(area_id__in=visible_areas(actor, SECOND).values("pk"))


def end_role(actor: User, *, grant: Grant, ends_before: date, reason: str) -> Grant:
    """Ends a role over an area the actor looks after, from a day on."""
    require(actor, PERMISSION, grant.area_id)
    return access.end_role(actor, grant=grant, ends_before=ends_before, reason=reason)


def deactivate(actor: User, user: User, *, reason: str) -> None:
    """Ends a person's signing in, with all their roles; refuses where one in force lies outside the actor's areas."""
    held = (
        Grant.objects.filter(user=user, voided_at=None)
        .exclude(counts_before__lte=date.today())
        .values_list("area_id", flat=True)
    )
    for area_id in held.union(GrantProposal.objects.filter(user=user, answer=None).values_list("area_id", flat=True)):
        require(actor, PERMISSION, area_id)
    access.deactivate_user(actor, user=user, reason=reason)


@transaction.atomic
def invite(
    actor: User, *, username: str, full_name: str, language: str, role: Role, area_id: int, starts_on: date
) -> tuple[User, str]:
    """Makes a person with a first role, given or proposed, and a password for the first sign-in; returns both, the
    password for this once.
    """
    require(actor, PERMISSION, area_id)
    user, password = access.invite_user(actor, username=username, full_name=full_name, language=language)
    give_role(actor, user=user, role=role, area_id=area_id, starts_on=starts_on)
    return user, password


def renew_invitation(actor: User, user: User) -> str:
    """Another password for a first sign-in that never came, of a person all of whose roles lie within the actor's
    areas.
    """
    given = Grant.objects.filter(user=user, voided_at=None).values_list("area_id", flat=True)
    for area_id in given.union(GrantProposal.objects.filter(user=user).values_list("area_id", flat=True)):
        require(actor, PERMISSION, area_id)
    return access.renew_invitation(actor, user)


@dataclass(frozen=True)
class RoleHeld:
    """A role of a person with the area it is given over; `state` is now, later, ended or void. `mine` says the actor
    may end it.
    """

    grant: Grant
    area: Tree | None
    state: str
    mine: bool

    @property
    def by_operator(self) -> bool:
        """Whether the local operator gave it, at founding or at the console."""
        return self.grant.recorded_by_id == self.grant.user_id


@dataclass(frozen=True)
class Person:
    """A person who signs in, with every role they hold or held that the actor may see, and how they came to their
    password.
    """

    user: User
    roles: Sequence[RoleHeld]
    sign_in: SignInEvent | None
    proposals: Sequence[tuple[GrantProposal, Tree | None]] = ()  # waiting or declined


def people(actor: User, *, words: str = "", after: int = 0, limit: int = 50) -> list[Person]:
    """The people with a role within the actor's areas, by id, with those roles; ended ones too."""
    found = _users(actor).filter(pk__gt=after)
    if words:
        found = found.filter(Q(full_name__icontains=words) | Q(username__icontains=words))
    users = list(found.order_by("pk")[:limit])
    held, last = _held(actor, users), last_sign_in_events(user.pk for user in users)
    return [Person(user, held.get(user.pk, []), last.get(user.pk)) for user in users]


def person(actor: User, user_id: int) -> Person:
    """One person with a role within the actor's areas; refuses another in the same words as one who does not exist."""
    user = _users(actor).filter(pk=user_id).first()
    if user is None:
        raise _unknown(say("user {user_id}", user_id=user_id))
    asked = GrantProposal.objects.select_related("answer").filter(
        user=user, area_id__in=visible_areas(actor, PERMISSION).values("pk")
    )
    open_ones = list(asked.exclude(answer__agreed=True).order_by("-pk"))
    trees = {t.pk: t for t in Tree.objects.filter(pk__in=[p.area_id for p in open_ones])}
    shown = [(p, trees.get(p.area_id)) for p in open_ones]
    return Person(user, _held(actor, [user]).get(user.pk, []), last_sign_in_event(user), shown)


def grant(actor: User, grant_id: int) -> RoleHeld:
    """One role over an area the actor looks after."""
    found = (
        Grant.objects.select_related("user")
        .filter(pk=grant_id, area_id__in=visible_areas(actor, PERMISSION).values("pk"))
        .first()
    )
    if found is None:
        raise _unknown(say("role {grant_id}", grant_id=grant_id))
    return next(h for h in _held(actor, [found.user])[found.user_id] if h.grant.pk == found.pk)


def manages_people(actor: User) -> bool:
    """Whether the actor looks after users somewhere."""
    return bool(granted_area_ids(actor, PERMISSION))


def _users(actor: User) -> QuerySet[User]:
    areas = visible_areas(actor, PERMISSION).values("pk")
    within = {"user": OuterRef("pk"), "area_id__in": areas}
    return User.objects.filter(Exists(Grant.objects.filter(**within)) | Exists(GrantProposal.objects.filter(**within)))


def _held(actor: User, users: Sequence[User]) -> dict[int, list[RoleHeld]]:
    areas = visible_areas(actor, PERMISSION).values("pk")
    grants = (
        Grant.objects.filter(user__in=users, area_id__in=areas)
        .select_related("user", "proposal__answer")
        .order_by("-starts_on", "-pk")
    )
    trees = {t.pk: t for t in Tree.objects.filter(pk__in=[g.area_id for g in grants])}
    held: dict[int, list[RoleHeld]] = {}
    for one in grants:
        state = _state(one, date.today())
        mine = one.ends_before is None and one.voided_at is None and one.user_id != actor.pk
        held.setdefault(one.user_id, []).append(RoleHeld(one, trees.get(one.area_id), state, mine))
    return held


def _state(one: Grant, today: date) -> str:
    if one.voided_at is not None:
        return "void"
    if one.counts_before is not None and one.counts_before <= today:
        return "ended"
    return "later" if one.counts_from > today else "now"


def _unknown(record: str) -> Refusal:
    return Refusal(
        "not_found.person",
        record=record,
        found=say("nobody of this number among those you look after"),
        expected=say("a person or role of your areas"),
        rule=say("administrators look after the people of their areas"),
        todo=say("choose from the list of users"),
    )
