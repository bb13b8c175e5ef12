"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.access.roles import ALL, CASE
from karez.kernel.rooms import Room

ROOM = Room(
    permissions={
        "figures.view": ALL,
        "figures.trace": CASE,
    },
)
