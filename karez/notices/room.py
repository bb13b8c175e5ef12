"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.access.roles import CASE, Role
from karez.kernel.lanes import HEAVY, Way
from karez.kernel.rooms import Room

ROOM = Room(
    permissions={
        "documents.view": CASE,
        "documents.attach": CASE - {Role.AUDITOR, Role.STATISTICIAN},
    },
    tallied={
        "notices_document": "documents on record",
    },
    asked={
        r"/documents/\d+/": Way(HEAVY),
    },
)
