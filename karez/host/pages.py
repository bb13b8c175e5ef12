"""The WSGI application as a process of the site runs it: tied to its server, taking requests as the front hands them
on.

Only the front reaches the socket, so its words are believed: who the caller is, the request's number, and in which file
a larger body lies. Holds no pages itself.
"""

import multiprocessing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from karez.host import lifeline

_server = multiprocessing.parent_process()
if _server is not None and _server.pid is not None:
    lifeline.hold(_server.pid)

from karez.system import logs  # noqa: E402 - tied first: loading takes a second
from karez.wsgi import application as _site  # noqa: E402

NUMBER = "karez.request"  # in a request's META, where it came through the front


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Puts the front's words where the site looks for them, and asks the site."""
    environ["REMOTE_ADDR"] = environ.pop("HTTP_X_KAREZ_PEER", "")
    environ[NUMBER] = environ.pop("HTTP_X_KAREZ_REQUEST", "")
    logs.request_number.set(environ[NUMBER])
    body = environ.pop("HTTP_X_KAREZ_BODY", "")
    if not body:
        return _site(environ, start_response)
    with Path(body).open("rb") as file:
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = file, str(Path(body).stat().st_size)
        return _site(environ, start_response)  # a view has read its body when it returns
