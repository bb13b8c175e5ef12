"""Roles with work of their own, given by two people: one administrator proposes, another person confirms or declines.

Knows no tree; that the areas lie within those of the two is asked by `places.granting`.
"""

from datetime import date

from django.db import IntegrityError, transaction

from karez.access.models import Grant, GrantAnswer, GrantProposal, User
from karez.access.queries import granted_area_ids, has_given_password
from karez.access.roles import Role
from karez.access.services import password_not_own, require_compatible, require_manager, write_grant
from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal


@transaction.atomic
def propose_role(actor: User, *, user: User, role: Role, area_id: int, starts_on: date) -> GrantProposal:
    """Proposes a role over an area; it allows nothing until another person confirms it. Refuses what is proposed or
    held already.
    """
    require_manager(actor, user)
    require_compatible(user, role, starts_on)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two proposals to one person follow each other
    same = {"user": user, "role": role, "area_id": area_id}
    if Grant.objects.filter(**same, voided_at=None).exclude(counts_before__lte=starts_on).exists():
        raise _already(user, role, say("over this area already"))
    if GrantProposal.objects.filter(**same, answer=None).exists():
        raise _already(user, role, say("proposed over this area, and waiting"))
    return GrantProposal.objects.create(**same, starts_on=starts_on, proposed_by_id=actor.pk)


@transaction.atomic
def confirm_role(actor: User, proposal: GrantProposal) -> Grant:
    """Gives the role that was proposed, as another person than who proposed it and who would have it.

    Refuses while the person has not chosen a password of their own (the one they were given is known to who proposed),
    and where who proposed no longer looks after users.
    """
    if actor.pk in (proposal.proposed_by_id, proposal.user_id):
        raise Refusal(
            "access.same_person",
            record=str(proposal),
            found=f"{actor}",
            expected=say("another person than who proposed it and who would have it"),
            rule=say("nobody comes to a role alone"),
            todo=say("wait for another administrator"),
        )
    proposer = User.objects.get(pk=proposal.proposed_by_id)
    if not granted_area_ids(proposer, "users.manage"):
        raise Refusal(
            "access.proposer_left",
            record=str(proposal),
            found=say("{proposer} no longer looks after users", proposer=proposer),
            expected=say("a proposal of an administrator"),
            rule=say("roles are given by those who look after users"),
            todo=say("decline it, and have it proposed anew"),
        )
    if has_given_password(proposal.user):
        raise password_not_own(
            proposal.user, say("confirm when the person has signed in; ask them whether it was they")
        )
    role = Role(proposal.role)
    _answer(actor, proposal, agreed=True)
    require_compatible(proposal.user, role, proposal.starts_on)
    return write_grant(
        proposer,
        user=proposal.user,
        role=role,
        area_id=proposal.area_id,
        starts_on=proposal.starts_on,
        proposal=proposal,
    )


@transaction.atomic
def decline_role(actor: User, proposal: GrantProposal, *, reason: str) -> GrantAnswer:
    """Declines a proposal with a reason, or takes one's own back."""
    if not reason.strip():
        raise Refusal(
            "access.end_unclear",
            record=str(proposal),
            found=say("no reason"),
            expected=say("a reason"),
            rule=say("whoever declines says why"),
            todo=say("write the reason"),
        )
    return _answer(actor, proposal, agreed=False, reason=reason.strip())


def _answer(actor: User, proposal: GrantProposal, *, agreed: bool, reason: str = "") -> GrantAnswer:
    try:
        with transaction.atomic():
            return GrantAnswer.objects.create(proposal=proposal, agreed=agreed, reason=reason, answered_by_id=actor.pk)
    except IntegrityError as error:
        raise Refusal(
            "access.already_answered",
            record=str(proposal),
            found=say("a proposal that was answered"),
            expected=say("one that waits"),
            rule=say("a proposal is answered once"),
            todo=say("see the person's page"),
        ) from error


def _already(user: User, role: Role, found: str) -> Refusal:
    return Refusal(
        "access.already_given",
        record=user.username,
        found=Listing((Role(role).label, found), " "),
        expected=say("a role not held on these days"),
        rule=say("a role over an area is given once at a time"),
        todo=say("end the one they have first, or choose a day after its end"),
    )
