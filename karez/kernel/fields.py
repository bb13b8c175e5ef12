"""Fields of models that say what their column means: in a file, a form, a list, a page of record and a figure table.

A field takes what a `kernel.sheets.Column` takes, and the database's own words (`null`, `db_default`). Its bounds and codes
become constraints named `<table>_<field>_bounds`, `_codes` and `_filled`; words and hints stay out of migrations. What a
cell of a file may hold, and what a constraint refuses, is told in the same words. Holds no model.
"""

from dataclasses import fields as fields_of
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django.db import models
from django.db.models import Q

from karez.kernel.sheets import Column, Kind, Text

_OF_COLUMN = frozenset(f.name for f in fields_of(Column)) - {"name", "meaning"}


if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = object


class Meaning(_Field):
    """What all of them share. `name` and `meaning` are the column's; without them a field means nothing to a file."""

    kind: Kind = Kind.TEXT
    means: Column | None = None

    def __init__(self, name: str = "", meaning: Text = "", **given: Any) -> None:
        said = {key: given.pop(key) for key in tuple(given) if key in _OF_COLUMN}
        super().__init__(**given)
        if name:
            said.setdefault("kind", self.kind)
            said.setdefault("required", not (self.null or self.blank))
            self.means = Column(name, meaning, **said)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """As the plain field of Django it is to a migration."""
        name, _path, args, kwargs = super().deconstruct()
        plain = next(base for base in type(self).__mro__ if base.__module__.startswith("django.db.models.fields"))
        kwargs.pop("choices", None)
        return name, f"django.db.models.{plain.__name__}", args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Adds the constraints that follow from the column to the model."""
        super().contribute_to_class(cls, name, private_only)
        if self.means is not None and not cls._meta.abstract:
            cls._meta.constraints = [*cls._meta.constraints, *_constraints(self, cls, name)]


def _constraints(field: Meaning, cls: type[models.Model], name: str) -> list[models.BaseConstraint]:
    """What the database holds a column to: within its bounds, one of its codes, and not blank where it is needed."""
    table, made = cls._meta.db_table or f"{cls._meta.app_label}_{cls._meta.model_name}", list[models.BaseConstraint]()
    column, null = field.means, field.null
    assert column is not None
    codes = field.all_codes if isinstance(field, Coded) else ()
    conditions = {
        "bounds": _bounds(name, column),
        "codes": Q(**{f"{name}__in": list(codes or sorted(set(column.codes.values())))}) if column.codes else None,
        "filled": Q(**{f"{name}__gt": ""}) if column.kind is Kind.TEXT and column.required else None,
    }
    for rule, condition in conditions.items():
        if condition is not None:
            whole = condition | Q(**{f"{name}__isnull": True}) if null else condition
            made.append(models.CheckConstraint(name=f"{table}_{name}_{rule}", condition=whole))
    return made


def _bounds(name: str, column: Column) -> Q | None:
    bounds = {f"{name}__{sign}": end for sign, end in (("gte", column.low), ("lte", column.high)) if end is not None}
    return Q(**bounds) if bounds else None


class Fen(Meaning, models.BigIntegerField):
    """An amount in fen, written in yuan."""

    kind = Kind.FEN

    def __init__(self, name: str = "", meaning: Text = "", **given: Any) -> None:
        if name:
            given = {"unit": "yuan", "low": 0, "high": MOST_FEN} | given
        super().__init__(name, meaning, **given)


MOST_FEN = 10**14  # a trillion yuan: beyond it somebody wrote a number in the wrong column


class Whole(Meaning, models.IntegerField):
    """A whole number."""

    kind = Kind.INTEGER


class Decimal(Meaning, models.DecimalField):
    """A number with decimals."""

    kind = Kind.DECIMAL


class Year(Meaning, models.IntegerField):
    """A year."""

    kind = Kind.YEAR


class Words(Meaning, models.TextField):
    """A text."""

    kind = Kind.TEXT


class Coded(Meaning, models.TextField):
    """One of the codes of `choices`; `written` are further words for them, as files have them. In `leaves_out` stand codes
    that no file or form brings, only the program.
    """

    kind = Kind.CODE

    def __init__(
        self,
        name: str = "",
        meaning: Text = "",
        *,
        choices: type[models.TextChoices] | None = None,
        written: dict[str, str] | None = None,
        leaves_out: tuple[str, ...] = (),
        **given: Any,
    ) -> None:
        self.all_codes = tuple(choices.values) if choices is not None else ()
        if choices is not None:
            given["choices"] = choices.choices
            if name:
                known = {str(code): str(code) for code in choices.values} | (written or {})
                given["codes"] = {word: code for word, code in known.items() if code not in leaves_out}
        super().__init__(name, meaning, **given)


class Day(Meaning, models.DateField):  # type: ignore[misc]
    """A day."""

    kind = Kind.DATE


class Flag(Meaning, models.BooleanField):
    """Yes or no."""

    kind = Kind.FLAG


def column_of(model: type[models.Model], field: str, **otherwise: Any) -> Column:
    """The column a field of a model means; `otherwise` replaces parts of it where an entry differs. AttributeError where
    the field means none.
    """
    column = getattr(model._meta.get_field(field), "means", None)
    if column is None:
        raise AttributeError(f"{model.__name__}.{field} says nothing of what its column means")
    return replace(cast("Column", column), **otherwise)
