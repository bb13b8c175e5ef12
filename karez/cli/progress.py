"""A bar on stderr for anything over a second. Holds no timing of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A bar with what is being done; the function given takes (what, share from 0 to 1)."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=1.0, what="")

        def tell(what: str, share: float) -> None:
            progress.update(task, completed=min(1.0, share), what=what)

        yield tell
        progress.update(task, completed=1.0)
