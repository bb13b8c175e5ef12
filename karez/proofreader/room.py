"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.kernel.lanes import HEAVY, MIB, PROOF, Way
from karez.kernel.rooms import Room

ROOM = Room(
    sent={
        r"/proof/(?:download/)?": Way(
            PROOF, 5 * MIB, signed_in=False
        ),  # the limit, with the coding of a form that carries the file back
    },
    asked={
        r"/proof/example/.*": Way(HEAVY),
    },
)
