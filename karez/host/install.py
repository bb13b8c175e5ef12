"""Brings a database to this version's shape: server, roles, migrations, rights. Safe to run again."""

import sys

from django.core.management import call_command

from karez.host import installation, schema, waiting
from karez.intake import words
from karez.periods import guard, tallying
from karez.system import database, paths


def bring_up(*, verbosity: int = 0) -> None:
    """Starts the server where it is ours, migrates as the owner, and installs rights and guards. Says on stderr whom it
    waits for.
    """
    paths.private_folder(paths.SCRATCH)
    database.prepare()
    with waiting.told(_tell):
        schema.check()
        schema.record()
        if schema.to_come():
            tallying.before_migrations()
        call_command("migrate", database="owner", verbosity=verbosity, interactive=False)
        guard.install()
        words.install()
        for table in tallying.after_migrations():
            _tell(f"The tally of {table} was counted anew: this version changed the table.")
    installation.record()


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
