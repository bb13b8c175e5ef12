"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.kernel.lanes import HEAVY, Way
from karez.kernel.rooms import Room

ROOM = Room(
    asked={
        r"/lists/[^/]+/(?:[^/]+/\d+/)?file/": Way(HEAVY),
    },
)
