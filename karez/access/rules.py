"""Which role may do what, and which roles exclude each other. Pure tables; holds no people and no places."""

from types import MappingProxyType

from karez.access.models import Role
from karez.kernel.messages import Listing

_ALL = frozenset(Role)
_CASE = frozenset(Role) - {Role.ADMINISTRATOR}  # the administrator looks after users, not after cases
_REGION = frozenset({Role.REGIONAL_OFFICER})
_COUNTY = frozenset({Role.COUNTY_OFFICER, Role.REGIONAL_OFFICER})
_MONEY = frozenset({Role.FINANCE_OFFICER})
_SECOND = frozenset({Role.APPROVER})

# permission -> roles that have it, each over the areas granted
PERMISSIONS: MappingProxyType[str, frozenset[Role]] = MappingProxyType(
    {
        "places.view": _ALL,
        "places.maintain": frozenset({Role.ADMINISTRATOR, Role.REGIONAL_OFFICER}),
        "places.apply": frozenset({Role.APPROVER, Role.REGIONAL_OFFICER}),
        "users.manage": frozenset({Role.ADMINISTRATOR}),
        # An approver or regional officer stands in where there is no other administrator.
        "users.confirm": frozenset({Role.ADMINISTRATOR, Role.APPROVER, Role.REGIONAL_OFFICER}),
        "intake.view": _CASE,
        "documents.view": _CASE,
        "documents.attach": _CASE - {Role.AUDITOR, Role.STATISTICIAN},
        "register.view": frozenset(
            {Role.VILLAGE_OFFICER, Role.TOWNSHIP_OFFICER, Role.COUNTY_OFFICER, Role.REGIONAL_OFFICER, Role.AUDITOR}
        ),
        "register.send": _COUNTY | {Role.TOWNSHIP_OFFICER, Role.VILLAGE_OFFICER},
        "register.apply": _COUNTY | _SECOND,
        "returns.view": _CASE,
        "returns.submit": _COUNTY | {Role.STATISTICIAN},
        "returns.approve": _REGION | _SECOND,
        "ledger.view": _CASE - {Role.VILLAGE_OFFICER},
        "ledger.prepare": _MONEY | {Role.TREASURER},
        "ledger.receive": _MONEY | {Role.TREASURER},
        "ledger.approve": _SECOND,
        "ledger.countersign": _MONEY | _SECOND | _COUNTY | {Role.TREASURER, Role.TOWNSHIP_OFFICER},
        "funds.view": _CASE,
        "funds.prepare": _MONEY,
        "funds.approve": _SECOND,
        "mutual_funds.view": _CASE,
        "mutual_funds.prepare": frozenset({Role.TREASURER, Role.COUNTY_OFFICER, Role.FINANCE_OFFICER}),
        "mutual_funds.approve": _SECOND,
        "mutual_funds.approve_loan": _SECOND,
        "closing.view": _CASE,
        "closing.prepare": frozenset({Role.REGIONAL_OFFICER, Role.STATISTICIAN}),
        "closing.sign": _SECOND,
        "figures.view": _ALL,
        "figures.trace": _CASE,
        "publication.view": _ALL,
        "publication.publish": _SECOND | _REGION,
        "publication.prepare": _REGION | {Role.STATISTICIAN},
        "publication.review": _REGION | {Role.STATISTICIAN},
        "publication.sign": _SECOND,
    }
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
    role for permission, holders in PERMISSIONS.items() if needs_second(permission) for role in holders
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


def roles_with(permission: str) -> frozenset[Role]:
    """The roles that have a permission; an unknown permission is a bug and raises KeyError."""
    return PERMISSIONS[permission]
