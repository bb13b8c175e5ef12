"""What a stop cut off and every start takes up again, in all rooms. Holds no recovery of its own."""

from collections.abc import Callable

from karez.closing import services as closing
from karez.closing import work
from karez.intake import services as intake
from karez.places.services import refresh_tree_if_due


def recover_all() -> list[str]:
    """Takes up what a crash interrupted in closing and in intake; returns sentences."""
    queued = [f"batch {number}: queued again" for number in intake.recover()]
    return [*closing.recover(), *work.take_up(), *queued]


def take_up(tell: Callable[[str], object]) -> None:
    """What every start of the site does first: recover, and renew today's tree where a change was dated ahead."""
    for line in recover_all():
        tell(line)
    refresh_tree_if_due()
