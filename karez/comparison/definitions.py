"""How a figure is counted, as a key that two columns can be held against one another by. Holds no figures and no words
for readers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from karez.comparison.package_file import Named
from karez.figures.declarations import Figure
from karez.kernel.formula import ID

_MOST = 200  # figures a formula is followed into
_WORD = re.compile(rf"(?:{ID.pattern})")


@dataclass(frozen=True)
class Definition:
    """`told`: table, rows and value, those of a formula's inputs too; empty where nobody tells. `more`: what only an
    installation knows.
    """

    told: str = ""
    more: str = ""

    def differs(self, other: "Definition") -> bool:
        """Whether both are told and not the same; what one of them does not tell makes no difference."""
        if not self.told or not other.told:
            return False
        return self.told != other.told or bool(self.more and other.more and self.more != other.more)


UNTOLD = Definition()


def definition_of(figure: Figure, known: Mapping[str, Figure]) -> Definition:
    """The definition of a declared figure; `known` are those of its year."""
    return _definition_of(figure, tuple(known.values()))


@lru_cache(maxsize=4096)
def _definition_of(figure: Figure, all_known: tuple[Figure, ...]) -> Definition:
    known = {f.id: f for f in all_known}
    plain = {f.id: _plain(f.formula.text if f.formula else f.value_text, f.table, f.where_text) for f in all_known}
    formulas = {f.id for f in all_known if f.formula}
    more = {f.id: f"{f.scale} {f.empty} {f.reaches}{' own' if f.own else ''}" for f in all_known}
    told, used = _followed(figure.id, plain, formulas)
    return Definition(told, "; ".join(f"{i}: {more[i]}" for i in used if i in known))


def published_definition(figure: str, figures: Mapping[str, Named]) -> Definition:
    """The definition of a figure of a package, as far as the package tells it."""
    one = figures[figure]
    if not one.definition:
        return UNTOLD
    plain, used, stack = {}, [figure], [figure]
    while stack and len(used) <= _MOST:  # only what it is made of
        name = stack.pop()
        told = figures[name]
        plain[name] = _plain(told.definition, told.table, told.where)
        if not told.table:
            new = [i for i in dict.fromkeys(_WORD.findall(told.definition)) if i in figures and i not in used]
            used, stack = [*used, *new], [*stack, *new]
    return Definition(_followed(figure, plain, {i for i in plain if not figures[i].table})[0])


def _plain(value: str, table: str, where: str) -> str:
    return " | ".join(" ".join(text.split()) for text in (value, table, where))


def _followed(figure: str, plain: Mapping[str, str], formulas: set[str]) -> tuple[str, list[str]]:
    """The definition with those of what it is made of, each once, in the order they are met; and their ids."""
    order, told = [figure], []
    for name in order:
        if len(order) > _MOST:
            break
        told.append(f"{name} = {plain[name]}")
        if name in formulas:
            order += [i for i in dict.fromkeys(_WORD.findall(plain[name])) if i in plain and i not in order]
    return "\n".join(told), order
