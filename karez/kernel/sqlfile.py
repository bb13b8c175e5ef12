"""SQL files beside a room, run by its migrations. Holds no SQL of its own."""

from pathlib import Path

from django.db.migrations import RunSQL


def run_sql_file(migration: str, name: str) -> RunSQL:
    """The migration operation that runs `<room>/sql/<name>`; pass the migration's `__file__`."""
    path = Path(migration).resolve().parent.parent / "sql" / name
    # A one-element list keeps the text whole; a bare string would be split at semicolons inside function bodies.
    return RunSQL([path.read_text(encoding="utf-8")])
