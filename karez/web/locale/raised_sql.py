"""Reads out of SQL what is told to people: messages a function raises, and texts a query puts together. Holds no
translation.
"""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
_WORDS = re.compile(r"'((?:[^']|'')*)'")
_RAISED = re.compile(r"\b(?:MESSAGE|DETAIL)\s*=(?!=)")
_REFUSE = re.compile(r"\b\w+_refuse\s*\(\s*'KZ\w+'\s*,")  # a room's helper, called with message and detail
_FORMAT = re.compile(r"format\s*\(\s*'((?:[^']|'')*)'")
_KEYWORDS = {"SELECT", "FROM", "AS", "WHEN", "THEN", "ELSE", "DISTINCT", "UNION", "WHERE", "AND", "OR", "ON"}
_WORD = re.compile(r"'(?:[^']|'')*'|\|\||[(),;]|[^\s'|(),;]+|\|")


def numbered(text: str) -> str:
    """The text with its parts put in, each a bare `{}` before, numbered."""
    parts = re.split(r"\{\}", text)
    return parts[0] + "".join(f"{{{n}}}{part}" for n, part in enumerate(parts[1:], 1))


def sql_files() -> Iterator[tuple[str, str]]:
    """Every MESSAGE and DETAIL of the functions of all rooms, with the file it stands in."""
    for path in sorted(PACKAGE.rglob("*.sql")):
        text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        told = [_argument(text, hit.end()) for hit in _RAISED.finditer(text)]
        for hit in _REFUSE.finditer(text):
            message = _argument(text, hit.end())
            told += [message, _argument(text, text.index(message, hit.end()) + len(message) + 1)]
        for pattern in (pattern for expression in told for pattern in _raised(expression)):
            yield path.relative_to(PACKAGE.parent).as_posix(), pattern


def _argument(text: str, start: int) -> str:
    """The expression from `start` to the comma or semicolon that ends it."""
    deep, place = 0, start
    while place < len(text):
        if text[place] == "'":
            place = _WORDS.match(text, place).end() - 1  # type: ignore[union-attr]
        deep += (text[place] == "(") - (text[place] == ")")
        if deep < 0 or (deep == 0 and text[place] in ",;"):
            break
        place += 1
    return text[start:place].strip()


def _raised(expression: str) -> Iterator[str]:
    """The texts of an expression: what it formats, the words put in there, and the literals it stands for in a branch."""
    formatted = _FORMAT.search(expression)
    while formatted:
        rest = expression[formatted.end() :]
        end = _closing(rest)
        yield numbered(re.sub(r"%[sIL]", "{}", formatted[1].replace("''", "'")))
        yield from (w.replace("''", "'") for w in _WORDS.findall(rest[:end]))
        expression = expression[: formatted.start()] + "x" + rest[end + 1 :]
        formatted = _FORMAT.search(expression)
    yield from sql_texts(expression, whole="CASE" not in expression)


def _closing(text: str) -> int:
    """Where the bracket closes that was open at the beginning."""
    deep, place = 1, 0
    while deep and place < len(text):
        if text[place] == "'":
            place = _WORDS.match(text, place).end() - 1  # type: ignore[union-attr]
        deep += (text[place] == "(") - (text[place] == ")")
        place += 1
    return place - 1


def sql_texts(sql: str, whole: bool = False) -> Iterator[str]:
    """The texts a query selects: literals of several words, and texts put together by `||`."""
    stack: list[list[str]] = [[]]
    for word in _WORD.findall(sql + " ;"):
        if word == "(":
            stack[-1].append("{}")
            stack.append([])
        elif word == ")" and len(stack) > 1:
            yield from _chain(stack.pop(), whole)
        elif word in (",", ";", ")") or word in _KEYWORDS:
            yield from _chain(stack[-1], whole)
            stack[-1] = []
        elif word.startswith("'"):
            stack[-1].append(word[1:-1].replace("''", "'"))
        elif word == "||":
            stack[-1].append("||")
        else:
            stack[-1].append("{}")


def _chain(operands: list[str], whole: bool) -> Iterator[str]:
    text, last = "", "||"
    for operand in operands:
        if operand != "||" and not (operand == "{}" and last not in ("||", "")):
            text += operand
        last = operand
    shown = numbered(text)
    if (
        (" " in text.strip() or whole or "||" in operands)
        and not text.startswith(("/", "{}/"))
        and re.search("[A-Za-z]{2}", text.replace("{}", ""))
    ):
        yield shown
