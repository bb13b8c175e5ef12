"""Where a request comes from, and the names a site answers to: pure reading of headers and settings. Holds no request
and no limit.

A proxy writes the address it saw at the end of X-Forwarded-For; all before that is what the caller wished to be there.
So the list is read from its end, past our own proxies alone, and not at all where who hands it on is none of them.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOOPBACK = "127.0.0.0/8, ::1"
_SEPARATORS = re.compile(r"[\s,;，；]+")
_PORT = re.compile(r":[0-9]+\Z")
# What a proxy says of the connection it took; from anybody else it is a claim.
FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)


def listed(text: str) -> list[str]:
    """The entries of a setting, separated by commas or blanks of any kind; empty ones left out."""
    return [entry for entry in _SEPARATORS.split(text) if entry]


def networks(text: str) -> tuple[Network, ...]:
    """The addresses and networks of a setting such as `127.0.0.1, 10.2.0.0/16`; ValueError tells the entry that is
    none.
    """
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in listed(text))


def client_address(meta: Mapping[str, object], proxies: Sequence[Network]) -> str:
    """The address of who asked: the peer's, or the last one before our own proxies; empty where none can be read."""
    peer = _address(str(meta.get("REMOTE_ADDR", "")))
    if peer is None or not _within(peer, proxies):
        return str(peer or "")
    told = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    nearest = peer
    for entry in reversed(told):
        found = _address(entry)
        if found is None:
            break  # nonsense, or the caller's own words: who handed it on is the last we know
        nearest = found
        if not _within(found, proxies):
            break
    return str(nearest)


def is_of(meta: Mapping[str, object], proxies: Sequence[Network]) -> bool:
    """Whether one of our own proxies hands the request on."""
    peer = _address(str(meta.get("REMOTE_ADDR", "")))
    return peer is not None and _within(peer, proxies)


def office_of(address: str) -> str:
    """An address for counting: of IPv6 the network that one household or office has."""
    found = _address(address)
    if found is None:
        return address[:64]
    return str(ipaddress.ip_network(f"{found}/64", strict=False).network_address) if found.version == 6 else str(found)


def hosts(text: str) -> list[str]:
    """The names a site answers to, without ports, as Django wants them."""
    return [_PORT.sub("", entry).lower() if not entry.endswith("]") else entry.lower() for entry in listed(text)]


def origins(text: str) -> list[str]:
    """What a browser calls the same names over HTTPS, with their ports; `*` is no origin."""
    names = (entry.lower() for entry in listed(text) if entry != "*")
    return [f"https://*{name}" if name.startswith(".") else f"https://{name}" for name in names]


def _within(address: Address, proxies: Iterable[Network]) -> bool:
    return any(address in network for network in proxies)


def _address(text: str) -> Address | None:
    """An address as headers write it: perhaps quoted, in brackets, with a port or a zone."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
