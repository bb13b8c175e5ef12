"""Who asks, by address: put right once, before anything else reads it. Holds no limit and no page.

From here on `REMOTE_ADDR` is the address of who asked, for Django, the lock-out, the library that signs people in, the
limits and the logs alike; what a stranger claims in headers of a proxy is gone.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from karez.kernel import addresses


class VisitorMiddleware:
    """Writes the address of who asked into the request, and takes away what only a proxy of ours may say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        ours = addresses.is_of(request.META, settings.TRUSTED_PROXIES)
        request.META["REMOTE_ADDR"] = client_address(request)
        for name in addresses.FORWARDED:
            if not (ours and name == "HTTP_X_FORWARDED_PROTO"):  # whether it came over TLS is for Django to read
                request.META.pop(name, None)
        return self.get_response(request)


def client_address(request: HttpRequest) -> str:
    """The address of who asked; empty where it cannot be told, as over a socket of the file system."""
    return addresses.client_address(request.META, settings.TRUSTED_PROXIES)


def counted_address(request: HttpRequest) -> str:
    """The same for counting: of IPv6 the network of one household or office."""
    return addresses.office_of(client_address(request))


def locked_address(request: HttpRequest) -> str | None:
    """The same for the lock-out, which keeps addresses alone."""
    return counted_address(request) or None
