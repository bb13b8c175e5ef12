"""Fields of models that say what their column means: in a file, a form, a list, a page of record and a figure table.

A field takes what a `kernel.sheets.Column` takes, and the database's own words (`null`, `db_default`). Its bounds and codes
become constraints named `<table>_<field>_least`, `_most`, `_codes`, `_form` and `_filled`; words and hints stay out of migrations. What a
cell of a file may hold, and what a constraint refuses, is told in the same words. Holds no model.
"""

from collections.abc import Callable
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import date
from functools import cache, partial
from typing import Any, cast

from django.apps import apps
from django.db import models
from django.db.models import Q

from karez.kernel.figure_tables import FigureColumn
from karez.kernel.messages import Text, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Column, Kind, codes_in_words, end_in_words, form_in_words

_OF_COLUMN = frozenset(f.name for f in fields_of(Column)) - {"name", "meaning"}


class Meaning:
    """What all of them share. `name` and `meaning` are the column's; without them a field means nothing to a file."""

    kind: Kind = Kind.TEXT
    means: Column | None = None
    null: bool  # of the field of Django it is mixed with
    blank: bool

    def __init__(self, name: str = "", meaning: Text = "", *, kept_as: int = 1, **given: Any) -> None:
        self.kept_as = kept_as  # what one written unit is in the database: a percent kept in hundredths is 100
        said = {key: given.pop(key) for key in tuple(given) if key in _OF_COLUMN}
        super().__init__(**given)
        if name:
            said.setdefault("kind", self.kind)
            said.setdefault("required", not (self.null or self.blank))
            self.means = Column(name, meaning, **said)

    def kept(self, end: int | date) -> int | date:
        """A bound as it stands in the database."""
        return end * self.kept_as if isinstance(end, int) else end

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        """As the plain field of Django it is to a migration."""
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        plain = next(base for base in type(self).__mro__ if base.__module__.startswith("django.db.models.fields"))
        kwargs.pop("choices", None)
        return name, f"django.db.models.{plain.__name__}", args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Adds the constraints that follow from the column to the model."""
        super().contribute_to_class(cls, name)  # type: ignore[misc]
        if self.means is not None and not cls._meta.abstract:
            cls._meta.constraints = [*cls._meta.constraints, *_constraints(self, cls, name)]


def _constraints(field: Meaning, cls: type[models.Model], name: str) -> list[models.BaseConstraint]:
    """What the database holds a column to: within its bounds, one of its codes, and not blank where it is needed."""
    table, made = cls._meta.db_table or f"{cls._meta.app_label}_{cls._meta.model_name}", list[models.BaseConstraint]()
    column, null = field.means, field.null
    assert column is not None
    codes = field.all_codes if isinstance(field, Coded | CodedNumber) else sorted(set(column.codes.values()))
    conditions = {
        "least": Q(**{f"{name}__gte": field.kept(column.low)}) if column.low is not None else None,
        "most": Q(**{f"{name}__lte": field.kept(column.high)}) if column.high is not None else None,
        "codes": Q(**{f"{name}__in": list(codes)}) if codes else None,
        "form": Q(**{f"{name}__regex": f"^({column.pattern})$"}) if column.pattern else None,
        "filled": Q(**{f"{name}__gt": ""})
        if column.kind is Kind.TEXT and column.required and not column.pattern
        else None,
    }
    for rule, condition in conditions.items():
        if condition is not None:
            whole = condition | Q(**{f"{name}__isnull": True}) if null else condition
            made.append(models.CheckConstraint(name=f"{table}_{name}_{rule}", condition=whole))
    return made


def refusal_of(constraint: str, record: str) -> Refusal | None:
    """What the database says by one of these constraints, in the words a cell of a file is told; None of another's."""
    column, rule = _held().get(constraint, (None, ""))
    if column is None:
        return None
    in_words: dict[str, Callable[[Column], str]] = {
        "least": partial(end_in_words, lower=True),
        "most": partial(end_in_words, lower=False),
        "codes": codes_in_words,
        "form": form_in_words,
        "filled": lambda _column: say("a value"),
    }
    return Refusal(
        "record.out_of_bounds",
        record=record,
        found=say("another value"),
        expected=in_words[rule](column),
        rule=str(column.meaning),
        todo=say("correct what is named and send again; nothing was written"),
        more={"column": column.name},
    )


@cache
def _held() -> dict[str, tuple[Column, str]]:
    found = dict[str, tuple[Column, str]]()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, Meaning) and field.means is not None:
                for one in _constraints(field, model, field.name):
                    found[one.name] = (field.means, one.name.rpartition("_")[2])
    return found


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


class CodedNumber(Meaning, models.SmallIntegerField):
    """One of the numbers of `choices`, which a standard gives; `written` are the words for them, as files have them."""

    kind = Kind.CODE

    def __init__(
        self,
        name: str = "",
        meaning: Text = "",
        *,
        choices: type[models.IntegerChoices] | None = None,
        written: dict[str, str] | None = None,
        **given: Any,
    ) -> None:
        self.all_codes = tuple(choices.values) if choices is not None else ()
        if choices is not None:
            given["choices"] = choices.choices
            if name:
                given["codes"] = (written or {}) | {str(code): str(code) for code in choices.values}
        super().__init__(name, meaning, **given)


class Month(Meaning, models.DateField):  # type: ignore[misc]
    """A month, kept as its first day."""

    kind = Kind.MONTH


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


_FROZEN = {
    "BigIntegerField": "bigint", "IntegerField": "integer", "SmallIntegerField": "integer", "TextField": "text",
    "DateField": "date", "BooleanField": "boolean",
}  # fmt: skip


def frozen(model: type[models.Model], field: str, *, name: str = "", **otherwise: Any) -> FigureColumn:
    """The column of a figure table that freezes a field: its type, meaning, unit, words and codes."""
    of, column = model._meta.get_field(field), column_of(model, field)
    kind = of.get_internal_type()
    sql_type = _FROZEN.get(kind) or f"numeric({of.max_digits},{of.decimal_places})"  # type: ignore[union-attr]
    unit = "fen" if column.kind is Kind.FEN else "year" if column.kind is Kind.YEAR else column.unit
    codes = dict(getattr(of, "choices", None) or ())
    made = FigureColumn(name or of.name, sql_type, column.meaning, unit=unit, label=column.label, codes=codes)
    return replace(made, **otherwise)
