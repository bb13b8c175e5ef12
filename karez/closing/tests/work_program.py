"""The program a crash test kills: does what was asked for on a page, telling each step on stdout. Its argument is the
work's id.
"""

import os
import sys
import time

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    django.setup()
    from karez.closing import work
    from karez.closing.models import Work
    from karez.closing.tests.conftest import declare

    declare(setattr)
    do = work._do

    def tell(asked: Work, progress: object) -> None:
        def both(what: str, share: float) -> None:
            progress(what, share)  # type: ignore[operator]
            print(what, flush=True)
            time.sleep(0.05)  # the parent chooses a moment inside

        do(asked, both)

    work._do = tell
    work.run(int(sys.argv[1]))
