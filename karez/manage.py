"""Django's own commands for developers (makemigrations, check). Offices use `karez`."""

import os
import sys


def main() -> None:
    """Runs a Django management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["karez.manage", *sys.argv[1:]])


if __name__ == "__main__":
    main()
