"""The WSGI application as a process of the site runs it: tied to the server that started it. Holds no pages itself."""

import multiprocessing

from karez.host import lifeline

_server = multiprocessing.parent_process()
if _server is not None and _server.pid is not None:
    lifeline.hold(_server.pid)

from karez.wsgi import application  # noqa: E402 - tied first: loading takes a second

__all__ = ["application"]
