"""How often an address may use the public pages: counted in the database, so all processes share it. Holds no page."""

from datetime import UTC, datetime

from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from karez.access.visitors import counted_address

CALLS = 30
EDITIONS, EDITIONS_CALLS = "editions", 600  # pages of signed editions: a chapter has one for each figure
WINDOW_SECONDS = 600


def wait_seconds(
    request: HttpRequest, now: datetime | None = None, *, purpose: str = "proof", most: int | None = None
) -> int:
    """Counts this call; zero where it may go on, else the seconds until the address may ask again."""
    now = now or datetime.now(UTC)
    begun = int(now.timestamp()) // WINDOW_SECONDS * WINDOW_SECONDS
    digest = salted_hmac(f"karez.{purpose}.{begun}", counted_address(request), algorithm="sha256").hexdigest()
    starts_at = datetime.fromtimestamp(begun, UTC)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM access_visitorcall WHERE window_starts_at < %s", [starts_at])
        cursor.execute(
            "INSERT INTO access_visitorcall AS kept (address_digest, window_starts_at, calls) VALUES (%s, %s, 1)"
            " ON CONFLICT (address_digest, window_starts_at) DO UPDATE SET calls = kept.calls + 1 RETURNING calls",
            [digest, starts_at],
        )
        calls = cursor.fetchone()[0]
    return 0 if calls <= (CALLS if most is None else most) else begun + WINDOW_SECONDS - int(now.timestamp())
