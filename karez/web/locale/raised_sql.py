"""Reads out of SQL what is told to people: messages a function raises, and texts a query puts together. Holds no translation."""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
_WORDS = re.compile(r"'((?:[^']|'')*)'")
_RAISED = re.compile(r"\b(?:MESSAGE|DETAIL)\s*=(?!=)")
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
        for hit in _RAISED.finditer(text):
            for pattern in _raised(_argument(text, hit.end())):
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
    formatted = re.match(r"format\s*\(\s*'((?:[^']|'')*)'", expression)
    if formatted:
        yield numbered(re.sub(r"%[sIL]", "{}", formatted[1].replace("''", "'")))
        yield from (w.replace("''", "'") for w in _WORDS.findall(expression[formatted.end() :]))
    else:
        yield from sql_texts(expression, whole=True)


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
    if (" " in text.strip() or whole or "||" in operands) and not text.startswith(("/", "{}/")) and re.search("[A-Za-z]{2}", text.replace("{}", "")):
        yield shown
