"""Columns of a table that keep messages, and the driver's way to write one. Holds no message and no model."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db.models import JSONField, TextField
from psycopg.types.string import StrDumper

from karez.kernel.messages import Text, Told, kept, kept_in, read, read_in


class _Dumper(StrDumper):
    def dump(self, obj: str) -> Any:
        """The message as it is kept, not its English text alone."""
        return super().dump(kept(obj))


psycopg.adapters.register_dumper(Told, _Dumper)


class MessageField(TextField):
    """A column of texts that may be messages. For migrations it is a column of text."""

    def deconstruct(self) -> Any:
        """As a plain field: the database knows no difference."""
        name, _path, positional, named = super().deconstruct()
        return name, "django.db.models.TextField", positional, named

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str | None:
        """The message that is kept there."""
        return None if value is None else read(value)

    def get_prep_value(self, value: Any) -> Any:
        """What is kept of it."""
        return None if value is None else super().get_prep_value(kept(value))


class MessagesField(JSONField):
    """A column of JSON whose texts may be messages. For migrations it is a column of JSON."""

    def deconstruct(self) -> Any:
        """As a plain field: the database knows no difference."""
        name, _path, positional, named = super().deconstruct()
        return name, "django.db.models.JSONField", positional, named

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The value with its messages."""
        return read_in(super().from_db_value(value, expression, connection))

    def get_prep_value(self, value: Any) -> Any:
        """The value with what is kept of its messages."""
        return super().get_prep_value(kept_in(value))


def label_sql(column: str, labels: Mapping[str, Text]) -> str:
    """SQL of what a code in a column is called, as a message; a code that has no label stays."""
    whens = " ".join(f"WHEN {_literal(str(code))} THEN {_literal(kept(label))}" for code, label in labels.items())
    return f"CASE {column} {whens} ELSE {column}::text END"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
