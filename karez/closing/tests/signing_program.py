"""The program a crash test kills: signs 2009 in the database of the environment, telling each step on stdout."""

import os
import time

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    django.setup()
    from karez.access.models import User
    from karez.closing import services
    from karez.closing.tests.conftest import declare

    declare(setattr)

    def tell(what: str, share: float) -> None:
        print(what, flush=True)
        time.sleep(0.05)  # the parent chooses a moment inside

    services.sign(User.objects.get(username="signer"), year=2009, progress=tell)
