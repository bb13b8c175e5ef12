"""Which role may do what, as the rooms declare it, and which roles exclude each other. Holds no people and no places."""

from types import MappingProxyType

from karez.access.roles import Role
from karez.kernel.messages import Listing
from karez.kernel.rooms import declared

# permission -> roles that have it, each over the areas granted
PERMISSIONS: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {permission: holders for room in declared() for permission, holders in room.permissions.items()}
)

# What one person may not come to alone: a role is named by one and confirmed by another where any of its permissions
# writes (whatever its verb, but for these two that only look) or reads who somebody is.
_LOOKS = frozenset({"view", "trace"})
_IDENTITY = frozenset(
    {"register", "intake", "documents"}
)  # rooms whose looks show names, numbers, files and papers as they came


def needs_second(permission: str) -> bool:
    """Whether a role with this permission is given by two people: it writes, or it reads identity."""
    room, _dot, verb = permission.rpartition(".")
    return verb not in _LOOKS or room in _IDENTITY


def who_may(permission: str) -> Listing:
    """The roles that may do something, as people are told instead of the permission's code."""
    return Listing((role.label for role in Role if role in roles_with(permission)), " or ")


CONFIRMED: frozenset[Role] = frozenset(
    Role(role) for permission, holders in PERMISSIONS.items() if needs_second(permission) for role in holders
)

# The levels of places over which a role may lie: nobody stands over a whole region with a village's role.
LEVELS: MappingProxyType[Role, tuple[str, ...]] = MappingProxyType(
    {
        Role.VILLAGE_OFFICER: ("village",),
        Role.TREASURER: ("village", "township", "county"),
        Role.TOWNSHIP_OFFICER: ("township",),
        Role.COUNTY_OFFICER: ("county",),
        Role.FINANCE_OFFICER: ("county", "prefecture", "region"),
        Role.APPROVER: ("township", "county", "prefecture", "region"),
        Role.AUDITOR: ("village", "township", "county", "prefecture", "region"),
        Role.REGIONAL_OFFICER: ("prefecture", "region"),
        Role.STATISTICIAN: ("county", "prefecture", "region"),
        Role.ADMINISTRATOR: ("township", "county", "prefecture", "region"),
    }
)

# Pairs nobody may hold at the same time, wherever: preparing and approving, working and watching; and looking after
# users goes with nothing else.
INCOMPATIBLE: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        (Role.TREASURER, Role.APPROVER),
        (Role.FINANCE_OFFICER, Role.APPROVER),
        (Role.TREASURER, Role.AUDITOR),
        (Role.FINANCE_OFFICER, Role.AUDITOR),
        (Role.APPROVER, Role.AUDITOR),
        *((Role.ADMINISTRATOR, other) for other in Role if other is not Role.ADMINISTRATOR),
    )
)


def roles_with(permission: str) -> frozenset[str]:
    """The roles that have a permission; an unknown permission is a bug and raises KeyError."""
    return PERMISSIONS[permission]
