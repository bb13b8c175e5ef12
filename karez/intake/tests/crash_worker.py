"""Run by the crash tests in a process of its own, to be killed: `python -m karez.intake.tests.crash_worker VERB BATCH`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")


def main() -> None:
    django.setup()
    from karez.intake import services
    from karez.intake.tests import toy

    toy.install()
    print("ready", flush=True)
    verb, batch_id = sys.argv[1], int(sys.argv[2])
    services.stage(batch_id) if verb == "stage" else services.run_apply(batch_id)
    print("done", flush=True)


if __name__ == "__main__":
    main()
