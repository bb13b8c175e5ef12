"""The files of signed editions in memory, a format made whole when one of its files is first asked for. Knows no pages.

What is there is answered at once, whatever is being made. One format is made at a time, because drawing takes seconds
and the site has few threads; one reader more waits for it, a short while, and everyone else is told to come again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from karez.publication.formats.publication import Files

EDITIONS = 20  # kept, the one asked for longest ago going first; all formats of one are some 8 MB
WAIT_SECONDS = 2.0


class BeingMade(Exception):
    """Another format is being made; ask again in a few seconds."""


class KeptFiles:
    """Files by edition and format. An edition's key names its text and the errata beside it, so what is kept is never
    stale.
    """

    def __init__(self, editions: int = EDITIONS) -> None:
        self.editions = editions
        self._kept: OrderedDict[Hashable, dict[str, Files]] = OrderedDict()
        self._reading = threading.Lock()  # held for a moment only
        self._making = threading.Lock()
        self._waiting = threading.BoundedSemaphore(1)

    def files(self, edition: Hashable, name: str, make: Callable[[], Files]) -> Files:
        """The files of a format, made by `make` where they are not there; raises BeingMade, and what `make` raises."""
        found = self._found(edition, name)
        if found is not None:
            return found
        self._take_turn()
        try:
            found = self._found(edition, name)  # made while this one waited
            return self._keep(edition, name, make()) if found is None else found
        finally:
            self._making.release()

    def _take_turn(self) -> None:
        if self._making.acquire(blocking=False):
            return
        if not self._waiting.acquire(blocking=False):
            raise BeingMade
        try:
            if not self._making.acquire(timeout=WAIT_SECONDS):
                raise BeingMade
        finally:
            self._waiting.release()

    def _found(self, edition: Hashable, name: str) -> Files | None:
        with self._reading:
            if edition not in self._kept:
                return None
            self._kept.move_to_end(edition)
            return self._kept[edition].get(name)

    def _keep(self, edition: Hashable, name: str, files: Files) -> Files:
        with self._reading:
            self._kept.setdefault(edition, {})[name] = files
            self._kept.move_to_end(edition)
            while len(self._kept) > self.editions:
                self._kept.popitem(last=False)
        return files
