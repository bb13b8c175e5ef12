"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.kernel.rooms import Room

ROOM = Room(
    tallied={
        "access_readevent": "log of reads",
        "access_grant": "roles given",
        "access_grantproposal": "roles proposed",
        "access_grantanswer": "answers to proposed roles",
    },
)
