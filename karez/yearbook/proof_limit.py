"""How often an address may use the public pages: counted in the database, so all processes share it. Holds no page."""

import ipaddress
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

CALLS = 30
EDITIONS, EDITIONS_CALLS = "editions", 600  # pages of signed editions: a chapter has one for each figure
WINDOW_SECONDS = 600


def wait_seconds(request: HttpRequest, now: datetime | None = None, *, purpose: str = "proof", most: int | None = None) -> int:
    """Counts this call; zero where it may go on, else the seconds until the address may ask again."""
    now = now or datetime.now(UTC)
    begun = int(now.timestamp()) // WINDOW_SECONDS * WINDOW_SECONDS
    digest = salted_hmac(f"karez.{purpose}.{begun}", address_of(request), algorithm="sha256").hexdigest()
    starts_at = datetime.fromtimestamp(begun, UTC)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM yearbook_proofcall WHERE window_starts_at < %s", [starts_at])
        cursor.execute(
            "INSERT INTO yearbook_proofcall AS kept (address_digest, window_starts_at, calls) VALUES (%s, %s, 1)"
            " ON CONFLICT (address_digest, window_starts_at) DO UPDATE SET calls = kept.calls + 1 RETURNING calls",
            [digest, starts_at],
        )
        calls = cursor.fetchone()[0]
    return 0 if calls <= (CALLS if most is None else most) else begun + WINDOW_SECONDS - int(now.timestamp())


def address_of(request: HttpRequest) -> str:
    """The caller's address: behind our own proxy the one it saw; of IPv6 the network, which one household or office has."""
    found = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_TLS:  # the last entry is the proxy's own word, all before it is the caller's
        found = str(request.META.get("HTTP_X_FORWARDED_FOR", found)).rsplit(",", 1)[-1].strip()
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found[:64]
    if address.version == 6 and not address.ipv4_mapped:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)
