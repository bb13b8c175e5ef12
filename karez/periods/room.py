"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.kernel.rooms import Room

ROOM = Room(
    tallied={
        "periods_periodchange": "history of the years",
    },
)
