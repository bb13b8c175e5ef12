"""Reads out of the source what Karez itself writes into books: names of accounts, and what a voucher is for.

Holds no translation. What people typed is put in at run time and stands as `{1}`, `{2}`; it is never told otherwise.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

from karez.web.locale.raised import Module, Reader
from karez.web.locale.raised_by_hand import BOOKS_BY_HAND
from karez.web.locale.raised_sql import PACKAGE, sql_texts

_TOLD = {("*", "Draft"): {"narration": 3}}
_NAMED = re.compile(r"\bAS (?:narration|account_name)\b")  # of the SQL that fills ledger_bulk and opens accounts
_CHART = re.compile(r'"name": "([^"]+)"')  # of a chart of accounts in SQL
_SQL = re.compile(r"'(?:[^']|'')*'|[(),]|\b(?:SELECT|CASE|END)\b|[^\s'(),]+")


@cache
def book_texts() -> dict[str, set[str]]:
    """Every text the program writes into a book, with the files it stands in."""
    found: dict[str, set[str]] = {text: {"karez/web/locale/raised_by_hand.py"} for text in BOOKS_BY_HAND}
    reader = Reader(_TOLD)
    told = {("karez/" + key, text) for key, text in reader.calls()}
    for module in reader.modules:
        told |= {("karez/" + module.key, text) for text in (*_charts(module), *_queries(module))}
    for path in sorted(PACKAGE.rglob("*.sql")):
        text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        told |= {(path.relative_to(PACKAGE.parent).as_posix(), one) for one in (*_CHART.findall(text), *named(text))}
    for file, text in told:
        if re.search("[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text)):
            found.setdefault(text, set()).add(file)
    return found


def _charts(module: Module) -> Iterator[str]:
    """A room's chart of accounts: code -> (name, ...)."""
    chart = module.constants.get("ACCOUNTS")
    for row in chart.values if isinstance(chart, ast.Dict) else ():
        if isinstance(row, ast.Tuple) and isinstance(row.elts[0], ast.Constant):
            yield str(row.elts[0].value)


def _queries(module: Module) -> Iterator[str]:
    """Narrations put together in a query that stands in Python."""
    for node in module.inside:
        if isinstance(node, ast.JoinedStr):
            yield from named(
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not isinstance(module.inside.get(node), ast.JoinedStr)
        ):
            yield from named(node.value)


def named(sql: str) -> Iterator[str]:
    """The texts of each expression a query calls `narration` or `account_name`."""
    for hit in _NAMED.finditer(sql):
        expression = _before(sql[: hit.start()])
        if "'" in expression:
            yield from sql_texts(expression, whole="CASE" not in expression)


def _before(sql: str) -> str:
    """The expression a piece of SQL ends with: back to the comma or SELECT before it, brackets and cases left whole."""
    deep = 0
    words = list(_SQL.finditer(sql))
    for word in reversed(words):
        deep += (word[0] in (")", "END")) - (word[0] in ("(", "CASE"))
        if deep < 0 or (deep == 0 and word[0] in (",", "SELECT")):
            return sql[word.end() :].strip()
    return sql
