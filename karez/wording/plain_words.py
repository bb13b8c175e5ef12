"""What a figure counts, as plain sentences in the active language, from its declaration or from what an edition says of
it.

The declared texts stay beside the sentences where readers are shown how a figure is computed. Holds no figures.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from sqlglot import exp

from karez.figures.declarations import Figure
from karez.figures.expressions import CONSTANTS, NotAllowed, parse_value, parse_where
from karez.kernel.formula import ID
from karez.wording.column_words import column_name, table_words
from karez.wording.numbers import CHINESE, ENGLISH, programme_words

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGNS: Mapping[type[exp.Expr], str] = {exp.NEQ: "≠", exp.LT: "<", exp.LTE: "≤", exp.GT: ">", exp.GTE: "≥"}
VALUES: "Mapping[str, _StrPromise]" = {
    "appropriation": _lazy("appropriation received"),
    "allocation": _lazy("allocation to a county"),
    "standard": _lazy("grant standard"),
    "target": _lazy("plan target"),
    "small": _lazy("small village"),
    "big": _lazy("big village"),
    "region": _lazy("region"),
    "prefecture": _lazy("prefecture"),
    "county": _lazy("county"),
    "township": _lazy("township"),
    "village": _lazy("village"),
    "registered": _lazy("registered household"),
    "identified": _lazy("identified as poor"),
    "recorded": _lazy("recorded as poor"),
    "exited": _lazy("no longer poor"),
    "central_office": _lazy("central office for poverty reduction"),
    "population": _lazy("population"),
    "land_area": _lazy("land area"),
    "rural_net_income": _lazy("net income of rural people"),
    "mutual_fund_repayment_rate": _lazy("repayment of village funds"),
    "mutual_funds.villages": _lazy("village mutual funds"),
    "mutual_funds.pilot": _lazy("pilot of village mutual funds"),
}
_SEXES: "Mapping[str, _StrPromise]" = {"1": _lazy("male"), "2": _lazy("female")}


def sentence_of(figure: Figure) -> str:
    """What a declared figure counts; its condition and its formula are told beside it."""
    return _counted(figure.value_text, figure.table) if figure.formula is None else _worked_out()


def sentences(told: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """What a figure of an edition counts, with its condition or its formula; `labels` name the figures of formulas."""
    return _sentences(
        told.get("formula") or "",
        told.get("value") or "",
        told.get("table") or "",
        told.get("where") or "",
        tuple((i, labels[i]) for i in dict.fromkeys(re.findall(ID.pattern, told.get("formula") or "")) if i in labels),
        get_language(),
    )


def sentences_in(language: str, told: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """The same in a language of print."""
    with translation.override("zh-hans" if language == CHINESE else "en"):
        return sentences(told, labels)


@lru_cache(maxsize=4096)
def _sentences(
    formula: str, value: str, table: str, where: str, labels: tuple[tuple[str, str], ...], _language: str | None
) -> str:
    if formula:
        return _("Worked out at each place: %(formula)s.") % {"formula": _formula(formula, dict(labels))}
    counted = _counted(value, table)
    if not where:
        return counted
    only = _("Only where: %(conditions)s.") % {"conditions": _conditions(where, table)}
    return _("%(first)s %(then)s") % {"first": counted, "then": only}


def _worked_out() -> str:
    return _(
        "Worked out from other figures at each place, after these are added up. It has a value where all of them have."
    )


def _formula(text: str, labels: Mapping[str, str]) -> str:
    """A formula with labels in place of identifiers."""
    named = re.sub(ID.pattern, lambda found: f"“{labels[found[0]]}”" if found[0] in labels else found[0], text)
    return named.replace(" * ", " × ").replace(" / ", " ÷ ").replace(" - ", " − ")


def _counted(value: str, table: str) -> str:
    rows = table_words(table)
    try:
        found = parse_value(value, frozenset(_NAME.findall(value)))
    except NotAllowed:  # as an older program read it
        return _("Counts: %(rows)s.") % {"rows": f"{value}, {rows}"}
    tree = found.argument.tree if found.argument else None
    what = column_name(table, tree.name) if isinstance(tree, exp.Column) else value
    match found.function:
        case "count":
            return _("Counts: %(rows)s.") % {"rows": rows}
        case "distinct":
            return _("Counts each only once, by %(what)s. Rows: %(rows)s.") % {"what": what, "rows": rows}
        case "sum":
            return _("Adds up: %(what)s. Rows: %(rows)s.") % {"what": what, "rows": rows}
        case "min":
            return _("The lowest: %(what)s. Rows: %(rows)s.") % {"what": what, "rows": rows}
        case _:
            return _("The highest: %(what)s. Rows: %(rows)s.") % {"what": what, "rows": rows}


def _conditions(where: str, table: str) -> str:
    try:
        tree = parse_where(where, frozenset(_NAME.findall(where)) - set(CONSTANTS)).tree
    except NotAllowed:
        return where
    told = ""
    for one in tree.flatten() if isinstance(tree, exp.And) else (tree,):
        words = _condition(one, table)
        told = _("%(first)s; %(then)s") % {"first": told, "then": words} if told else words
    return told


def _condition(tree: exp.Expr, table: str) -> str:
    """A condition in words; one that has none as it is declared."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Column):
        return column_name(table, tree.name)
    if isinstance(tree, exp.Or):
        return _("%(one)s, or %(other)s") % {
            "one": _condition(tree.this, table),
            "other": _condition(tree.expression, table),
        }
    if isinstance(tree, exp.Not) and isinstance(tree.this, exp.Column):
        return _("not %(what)s") % {"what": column_name(table, tree.this.name)}
    if isinstance(tree, exp.Not) and isinstance(tree.this, exp.Is) and isinstance(tree.this.this, exp.Column):
        return _("%(column)s: known") % {"column": column_name(table, tree.this.this.name)}
    column = tree.this
    if not isinstance(column, exp.Column):
        return tree.sql()
    name = column_name(table, column.name)
    if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
        return _("%(column)s: not set") % {"column": name}
    if isinstance(tree, exp.EQ):
        return _("%(column)s: %(value)s") % {"column": name, "value": _value(tree.expression, column.name)}
    if isinstance(tree, exp.In) and tree.expressions:
        return _("%(column)s: %(value)s") % {
            "column": name,
            "value": _(", ").join(_value(v, column.name) for v in tree.expressions),
        }
    if type(tree) in _SIGNS:
        return f"{name} {_SIGNS[type(tree)]} {_value(tree.expression, column.name)}"
    return tree.sql()


def _value(tree: exp.Expr, column: str) -> str:
    if isinstance(tree, exp.Column):
        return str(
            {"year": _("the year"), "as_of": _("the day of the state"), "year_start": _("1 January")}.get(
                tree.name, tree.name
            )
        )
    if isinstance(tree, exp.Literal) and column == "sex":
        return str(_SEXES.get(tree.name, tree.name))
    if isinstance(tree, exp.Literal) and tree.is_string:
        return str(
            VALUES.get(tree.name)
            or programme_words(tree.name, CHINESE if (get_language() or "").startswith("zh") else ENGLISH)
        )
    return _("the year before") if tree.sql() == "year - 1" else tree.sql().replace("year", _("the year"))
