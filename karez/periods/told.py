"""What is said when something was recorded: also that it counts later than its day, where the year of its day is
closed. Writes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from karez.periods.services import first_open_day


def recorded(done: str, *days: str) -> Callable[[Mapping[str, Any]], str]:
    """The message of a form that was done; `days` are the form's fields that hold the day of what is recorded."""

    def told(given: Mapping[str, Any]) -> str:
        opened = first_open_day()
        late = [given[name] for name in days if isinstance(given.get(name), date) and given[name] < opened]
        if not late or opened.year <= late[0].year:
            return done
        words = _("The year %(year)d is closed: it counts from %(day)s.") % {"year": late[0].year, "day": opened}
        return f"{done} {words}"

    return told
