"""Reading `where` and `value`: parsed, held against an allow-list, and written anew from the tree. Executes nothing.

The allow-list is the sandbox: a node, an argument of a node, a function, a column or a type that is not named here is
refused. What runs is never the declared text but what this module writes from the tree.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MAX_CHARACTERS = 2_000
MAX_NODES = 400
MAX_NESTING = 25
CONSTANTS = ("year", "as_of", "year_start")

_PAIR = frozenset({"this", "expression"})
_ONE = frozenset({"this"})
# Node -> the arguments it may have. Anything else is refused, also arguments a newer parser may add.
_SCALAR: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.And: _PAIR, exp.Or: _PAIR, exp.Not: _ONE, exp.Paren: _ONE,
    exp.EQ: _PAIR, exp.NEQ: _PAIR, exp.GT: _PAIR, exp.GTE: _PAIR, exp.LT: _PAIR, exp.LTE: _PAIR,
    exp.NullSafeEQ: _PAIR, exp.NullSafeNEQ: _PAIR, exp.Is: _PAIR,
    exp.Between: frozenset({"this", "low", "high"}), exp.In: frozenset({"this", "expressions"}),
    exp.Add: _PAIR, exp.Sub: _PAIR, exp.Mul: _PAIR, exp.IntDiv: _PAIR, exp.Mod: _PAIR, exp.Neg: _ONE,
    exp.Case: frozenset({"this", "ifs", "default"}), exp.If: frozenset({"this", "true", "false"}),
    exp.Coalesce: frozenset({"this", "expressions"}),
    exp.Cast: frozenset({"this", "to"}), exp.DataType: frozenset({"this", "expressions", "nested"}), exp.DataTypeParam: _ONE,
    exp.Extract: _PAIR, exp.Var: _ONE, exp.Year: _ONE, exp.Month: _ONE,
    exp.Column: _ONE, exp.Identifier: frozenset({"this", "quoted"}),
    exp.Literal: frozenset({"this", "is_string"}), exp.Boolean: _ONE, exp.Null: frozenset(),
}  # fmt: skip
_TYPES = {
    exp.DataType.Type.INT: 0, exp.DataType.Type.BIGINT: 0, exp.DataType.Type.DATE: 0, exp.DataType.Type.TEXT: 0,
    exp.DataType.Type.VARCHAR: 0, exp.DataType.Type.BOOLEAN: 0, exp.DataType.Type.DECIMAL: 2,
}  # fmt: skip
_PARTS = frozenset({"YEAR", "MONTH"})
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,9})?")
_AGGREGATES: Mapping[type[exp.Expr], str] = {exp.Sum: "sum", exp.Count: "count", exp.Min: "min", exp.Max: "max"}
_ALLOWED_WORDS = (
    "columns of the table, numbers, texts, and/or/not, comparisons, + - * // %, in, between, case, "
    "coalesce, cast, year()"
)


class NotAllowed(ValueError):
    """A text outside the allow-list: what was found and what was expected."""

    def __init__(self, found: str, expected: str = _ALLOWED_WORDS) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found, self.expected = found, expected


@dataclass(frozen=True)
class Scalar:
    """A checked expression over one row."""

    tree: exp.Expr

    @property
    def columns(self) -> frozenset[str]:
        """The columns it reads."""
        return frozenset(c.name for c in self.tree.find_all(exp.Column)) - frozenset(CONSTANTS)

    def sql(self, *, year: int, as_of: date) -> str:
        """The expression in DuckDB's SQL with the year's constants filled in."""
        return self.tree.transform(lambda node: _constant(node, year, as_of)).sql(
            dialect="duckdb", identify=True, comments=False
        )


@dataclass(frozen=True)
class Aggregate:
    """A checked aggregate: sum, count, distinct, min or max; `argument` is None for count(*)."""

    function: str
    argument: Scalar | None

    @property
    def columns(self) -> frozenset[str]:
        """The columns it reads."""
        return self.argument.columns if self.argument else frozenset()

    @property
    def rolls_up_by(self) -> str:
        """What makes the value of a place from the values below it; empty for a distinct count, which adds up nowhere."""
        return {"sum": "sum", "count": "sum", "min": "min", "max": "max"}.get(self.function, "")

    def sql(self, *, year: int, as_of: date) -> str:
        """The aggregate in DuckDB's SQL."""
        inside = self.argument.sql(year=year, as_of=as_of) if self.argument else "*"
        return f"count(DISTINCT {inside})" if self.function == "distinct" else f"{self.function}({inside})"


def parse_where(text: str, columns: frozenset[str]) -> Scalar:
    """The condition in a text over the given columns; raises NotAllowed."""
    tree = _parse(text)
    _check(tree, columns)
    return Scalar(tree)


def parse_value(text: str, columns: frozenset[str]) -> Aggregate:
    """The one aggregate in a text over the given columns; raises NotAllowed."""
    tree = _parse(text)
    function = _AGGREGATES.get(type(tree))
    if function is None:
        raise NotAllowed(_shown(tree), "one of sum(), count(), count(distinct), min(), max() and nothing around it")
    _check_arguments(tree, frozenset({"this", "big_int"}))
    inside = tree.this
    if isinstance(inside, exp.Star) and function == "count" and not any(inside.args.values()):
        return Aggregate("count", None)
    if isinstance(inside, exp.Distinct):
        _check_arguments(inside, frozenset({"expressions"}))
        if function != "count" or len(inside.expressions) != 1:
            raise NotAllowed(_shown(tree), "count(distinct one column)")
        function, inside = "distinct", inside.expressions[0]
    if not isinstance(inside, exp.Expr):
        raise NotAllowed(_shown(tree), "something to aggregate")
    _check(inside, columns)
    return Aggregate(function, Scalar(inside))


def _parse(text: str) -> exp.Expr:
    """The one expression in a text; the text is bounded before the parser sees it."""
    if not text.strip():
        raise NotAllowed("nothing", "an expression")
    if len(text) > MAX_CHARACTERS:
        raise NotAllowed(f"{len(text)} characters", f"at most {MAX_CHARACTERS}")
    if _nesting(text) > MAX_NESTING:
        raise NotAllowed("too many brackets inside each other", f"at most {MAX_NESTING}")
    try:
        tokens = sqlglot.tokenize(text, read="duckdb")
        if any(token.comments for token in tokens) or "--" in text or "/*" in text:
            raise NotAllowed("a comment", "an expression without comments")
        trees = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, ValueError) as error:
        if isinstance(error, NotAllowed):
            raise
        raise NotAllowed(f"'{text[:80]}', which cannot be read") from None
    except RecursionError:
        raise NotAllowed("an expression nested too deep", f"at most {MAX_NESTING} levels") from None
    if len(trees) != 1 or trees[0] is None or ";" in re.sub(r"'[^']*'", "", text):
        raise NotAllowed(f"{len(trees)} statements", "one expression")
    return trees[0]


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest + len(re.findall(r"\b(?:case|not)\b|[-+~]\s*(?=[-+~])", text, re.IGNORECASE)) // 4


def _check(tree: exp.Expr, columns: frozenset[str]) -> None:
    """Walks the tree without recursion and refuses the first thing that is not on the list."""
    waiting, seen = [tree], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            raise NotAllowed("a longer expression", f"at most {MAX_NODES} parts")
        allowed = _SCALAR.get(type(node))
        if allowed is None:
            raise NotAllowed(_shown(node))
        _check_arguments(node, allowed)
        _check_leaf(node, columns)
        waiting += _children(node)


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    for value in node.args.values():
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Expr):
                yield child


def _check_arguments(node: exp.Expr, allowed: frozenset[str]) -> None:
    for name, value in node.args.items():
        if name not in allowed and value not in (None, False, []):
            raise NotAllowed(f"{_shown(node)} ({name})")
    if node.comments:
        raise NotAllowed("a comment", "an expression without comments")


def _check_leaf(node: exp.Expr, columns: frozenset[str]) -> None:
    match node:
        case exp.Column() if node.name not in columns and node.name not in CONSTANTS:
            raise NotAllowed(
                f"column '{node.name[:60]}'", f"one of {', '.join(sorted(columns))}, or year, as_of, year_start"
            )
        case exp.Literal() if node.is_string and (
            len(node.this) > 200 or not node.this.isprintable() or "\\" in node.this
        ):
            raise NotAllowed(
                "a text with signs that cannot be printed, a backslash or more than 200 characters", "plain text"
            )
        case exp.Literal() if not node.is_string and not _NUMBER.fullmatch(node.this):
            raise NotAllowed(f"number {node.this[:40]}", "up to 18 digits, decimals after a point, no exponent")
        case exp.DataType():
            parameters = _TYPES.get(node.this)
            if parameters is None or len(node.expressions) != parameters:
                raise NotAllowed(f"type {_shown(node)}", "integer, bigint, decimal(p, s), date, text or boolean")
        case exp.Var() if not isinstance(node.parent, exp.Extract) or node.name.upper() not in _PARTS:
            raise NotAllowed(_shown(node), "year or month")
        case exp.Is() if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise NotAllowed(_shown(node), "is null, is true or is false")
        case _:
            return


def _constant(node: exp.Expr, year: int, as_of: date) -> exp.Expr:
    if not isinstance(node, exp.Column):
        return node
    match node.name:
        case "year":
            return exp.Literal.number(int(year))
        case "as_of":
            return exp.cast(exp.Literal.string(as_of.isoformat()), "date")
        case "year_start":
            return exp.cast(exp.Literal.string(f"{int(year):04d}-01-01"), "date")
        case _:
            return node


def _shown(node: exp.Expr) -> str:
    try:
        text = node.sql(dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError):
        text = ""
    return f"{type(node).__name__.lower()} '{text[:80]}'"
