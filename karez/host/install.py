"""Brings a database to this version's shape: server, roles, migrations, rights. Safe to run again."""

import sys

from django.core.management import call_command

from karez.host import database, installation, paths, schema, waiting
from karez.periods import guard


def bring_up(*, verbosity: int = 0) -> None:
    """Starts the server where it is ours, migrates as the owner, and installs rights and guards. Says on stderr whom it waits for."""
    paths.private_folder(paths.SCRATCH)
    database.prepare()
    with waiting.told(_tell):
        schema.check()
        schema.record()
        call_command("migrate", database="owner", verbosity=verbosity, interactive=False)
        guard.install()
    installation.record()


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
