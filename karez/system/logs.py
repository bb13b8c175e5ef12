"""One format of log lines for every process of Karez: time with zone, level, who, what, and the number of the request;
JSON on request.

`KAREZ_LOG` is the level, `KAREZ_LOG_FORMAT=json` one JSON object a line. The log of requests has no query, no number of
a record, no address of a caller and no name of a user: with the time, each of them would tell who looked at whom. Who
looked at a personal record is in the log of reads, which is the database's and not anybody's file. Holds no handler of
a framework's own.
"""

import json
import logging
import logging.config
import os
from contextvars import ContextVar
from datetime import datetime
from typing import Any

request_number: ContextVar[str] = ContextVar("karez_request", default="")
REQUESTS = "karez.requests"
_FIELDS = ("method", "route", "status", "ms")


class Numbered(logging.Filter):
    """Puts the number of the request under way on every line, so that lines of two processes can be laid side by side.

    Django tells addresses as they were asked for; here too the pattern stands in their place.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Marks the line; keeps it."""
        if not hasattr(record, "request_number"):
            record.request_number = request_number.get()
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            pattern = getattr(getattr(request, "resolver_match", None), "route", None)
            record.args = tuple(f"/{pattern or '-'}" if part == request.path else part for part in record.args)
        return True


class Plain(logging.Formatter):
    """One line: time, level, who, the request's number where there is one, what."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, a traceback below it."""
        number = getattr(record, "request_number", "")
        line = (
            f"{_time(record)} {record.levelname} {record.name}{f' [{number}]' if number else ''}: {record.getMessage()}"
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(logging.Formatter):
    """The same as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := getattr(record, "request_number", ""):
            told["request"] = number
        told |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


def settings() -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`, of Django and of the servers alike. Everything goes to stderr."""
    level = os.environ.get("KAREZ_LOG", "WARNING").upper()
    form = Json if os.environ.get("KAREZ_LOG_FORMAT", "").lower() == "json" else Plain
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"numbered": {"()": Numbered}},
        "formatters": {"ours": {"()": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours", "filters": ["numbered"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            REQUESTS: {"level": "INFO"},
            "karez.host": {"level": "INFO"},
            "_granian": {"handlers": [], "level": "WARNING", "propagate": True},
            "granian.access": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


def configure() -> None:
    """For a process without Django."""
    logging.config.dictConfig(settings())


def request_answered(*, method: str, route: str, status: int, ms: float, number: str) -> None:
    """One line of the log of requests; `route` is the pattern of an address, never an address."""
    extra = {"method": method, "route": route, "status": status, "ms": round(ms, 1), "request_number": number}
    logging.getLogger(REQUESTS).info("%s %s %s %.0f ms", method, route, status, ms, extra=extra)
