"""What this room adds to the lists of all rooms. Holds nothing else."""

from karez.access.roles import ALL, REGION, SECOND, Role
from karez.kernel.lanes import HEAVY, Way
from karez.kernel.rooms import Room

ROOM = Room(
    permissions={
        "publication.view": ALL,
        "publication.publish": SECOND | REGION,
        "publication.prepare": REGION | {Role.STATISTICIAN},
        "publication.review": REGION | {Role.STATISTICIAN},
        "publication.sign": SECOND,
    },
    tallied={
        "publication_edition": "editions",
        "publication_editionstep": "steps and signers of editions",
        "publication_erratum": "errata",
        "publication_erratumapproval": "approvals of errata",
    },
    asked={
        r"/editions/\d+/\d+/.*": Way(HEAVY),
    },
)
