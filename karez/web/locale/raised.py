"""Reads out of the source what Karez tells when it refuses or finds a fault: the texts and the patterns they are made
from.

Holds the reading of Python and SQL and no translation. A part that is put in at run time stands as `{1}`, `{2}`; the
words that may stand there, where the source names them, are texts of their own. Texts within `_()` belong to the
catalogue of the pages.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from karez.web.locale.raised_by_hand import BY_HAND
from karez.web.locale.raised_sql import PACKAGE, numbered, sql_files, sql_texts

# Which arguments are read by people: by their place and their name. `*` stands for every file.
_TOLD: dict[tuple[str, str], dict[str, int]] = {
    ("*", "Refusal"): {"record": 1, "found": 2, "expected": 3, "rule": 4, "todo": 5},
    ("*", "Answer"): {"expected": 1, "rule": 2, "todo": 3},
    ("*", "Column"): {"meaning": 1, "unit": 4},
    ("*", "Check"): {"expected": 2, "sql": 3, "todo": 4},
    ("*", "Rule"): {"sql": 3},
    ("mutual_funds/record_rules.py", "_alone"): {"found_sql": 3},
    ("*", "ClosingCheck"): {"label": 1, "sql": 2, "todo": 3},
    ("*", "Total"): {"label": 0, "unit": 2},
    ("*", "Test"): {"found_sql": 3, "expected": 4, "todo": 5},
    ("*", "Reason"): {"expected": 1, "todo": 2},
    ("*", "Damaged"): {"damage": 0},
    ("*", "Wrong"): {"found": 1, "expected": 2},
    ("*", "progress"): {"what": 0},
    ("*", "report"): {"what": 0},
    ("intake/staging.py", "_fault"): {"found": 2, "expected": 3, "todo": 5},
}
# The console speaks English; what `records` composes is declared, and read, in the rooms.
_ELSEWHERE = ("cli", "host", "tests", "migrations", "locale", "reference", "records")
_WRAPPERS = {"_", "_lazy", "gettext", "gettext_lazy", "ngettext", "say"}
_PLAIN = {"str", "capfirst", "left"}
Pattern = str
_LISTS = ("list[str]", "Iterator[str]", "tuple[str, ...]")
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
_PRINTED = ("publication/", "trace/", "comparison/", "chapter/", "proofreader/", "wording/")
_MAY = 24  # at most so many ways to put one text together


@cache
def texts() -> dict[Pattern, set[str]]:
    """Every text people may be told, with the files it stands in."""
    found: dict[Pattern, set[str]] = {pattern: {"karez/web/locale/raised_by_hand.py"} for pattern in BY_HAND}
    for file, pattern in (*_python(), *sql_files()):
        if _is_said(pattern.strip()):
            found.setdefault(pattern.strip(), set()).add(file)
    return found


def _is_said(text: str) -> bool:
    """Whether it is made of words, and neither a code, a name of a table nor a piece of SQL."""
    plain = re.sub(r"\{\d+\}", "", text)
    if " " not in text:
        return bool(re.fullmatch(r"[a-z]{3,}", text))
    return (bool(re.search(r"[A-Za-z]{2}", plain)) or text in BY_HAND) and not re.search(
        r"\|\||\b(CASE|JOIN|SELECT|WHERE|ELSE|IS NULL)\b|^(left|to_char|, )\(|\w\.\w+ = ", text
    )


class Module:
    """One file: its functions, its constants, and who encloses whom."""

    def __init__(self, path: Path) -> None:
        self.key = path.relative_to(PACKAGE).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.functions: dict[str, ast.FunctionDef] = {}
        self.constants: dict[str, ast.expr] = {}
        self.inside: dict[ast.AST, ast.FunctionDef | None] = {}
        self._walk(self.tree, None)
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        self.constants[target.id] = node.value

    def _walk(self, node: ast.AST, function: ast.FunctionDef | None) -> None:
        for child in ast.iter_child_nodes(node):
            self.inside[child] = function
            if isinstance(child, ast.FunctionDef):
                self.functions.setdefault(child.name, child)
                self._walk(child, child)
            else:
                self._walk(child, function)


class Reader:
    """Follows the arguments people read back to the texts they are made from, through helpers, names and branches."""

    def __init__(self, told: dict[tuple[str, str], dict[str, int]]) -> None:
        paths = [p for p in sorted(PACKAGE.rglob("*.py")) if not set(_ELSEWHERE) & set(p.relative_to(PACKAGE).parts)]
        self.modules = [Module(path) for path in paths]
        self.told = dict(told)
        self.found: set[tuple[str, Pattern]] = set()

    def calls(self) -> set[tuple[str, Pattern]]:
        """The texts given to calls."""
        before = -1
        while before != len(self.told):  # a helper that passes its parameter on makes its callers tell texts too
            before = len(self.told)
            for module in self.modules:
                for node in module.inside:
                    if isinstance(node, ast.Call):
                        self._call(module, node)
        return self.found

    def read(self) -> set[tuple[str, Pattern]]:
        self.calls()
        for module in self.modules:
            self._tables(module)
            for node in (
                module.inside if module.key == "intake/plain.py" else ()
            ):  # its readers yield what is broken in a line
                if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
                    self.found |= {
                        (module.key, numbered(way)) for way in self._ways(module, node.value, 0) if " " in way
                    }
            for function in module.functions.values():
                if (
                    not module.key.startswith(_PRINTED)
                    and function.name.endswith("_faults")
                    and function.returns
                    and ast.unparse(function.returns) in _LISTS
                ):
                    self.found |= {(module.key, numbered(way)) for way in self._returned(module, function, 0)}
        return self.found

    def _call(self, module: Module, call: ast.Call) -> None:
        name = _name(call.func)
        told = self.told.get((module.key, name)) or self.told.get(("*", name))
        if told is None and name not in module.functions and isinstance(call.func, ast.Name | ast.Attribute):
            told = next(
                (
                    t
                    for (key, known), t in self.told.items()
                    if known == name and key != "*" and self._imports(module, key)
                ),
                None,
            )
        if told is None or (name in ("progress", "report") and module.key.startswith(_PRINTED)):
            return
        for parameter, place in told.items():
            value = next((k.value for k in call.keywords if k.arg == parameter), None)
            if value is None and place < len(call.args) and not isinstance(call.args[place], ast.Starred):
                value = call.args[place]
            if value is None:
                continue
            if parameter in ("sql", "found_sql"):
                self.found |= {(module.key, p) for sql in self._ways(module, value, 0) for p in sql_texts(sql)}
            else:
                self.found |= {(module.key, p) for p in map(numbered, self._ways(module, value, 0))}

    def _tables(self, module: Module) -> None:
        """Tables from a constraint of the database to a refusal (its code, and what is told), and faults told as a
        mapping.
        """
        for node in (n for n in module.inside if isinstance(n, ast.Dict)):
            named = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            for told in (
                named[key] for key in ("found", "expected", "todo", "why") if key in named and "expected" in named
            ):
                self.found |= {(module.key, numbered(way)) for way in self._ways(module, told, 0)}
        for table in (value for value in module.constants.values() if isinstance(value, ast.Dict)):
            for row in (value.elts for value in table.values if isinstance(value, ast.Tuple) and len(value.elts) > 1):
                if isinstance(row[0], ast.Constant) and _CODE.fullmatch(str(row[0].value)):
                    self.found |= {
                        (module.key, numbered(way)) for told in row[1:] for way in self._ways(module, told, 0)
                    }

    def _imports(self, module: Module, key: str) -> bool:
        return any(
            isinstance(n, ast.ImportFrom) and (n.module or "").startswith("karez." + key.split("/", maxsplit=1)[0])
            for n in module.tree.body
        )

    # What an expression may be: texts in which a bare `{}` stands for what is put in. `{}` alone is nothing to
    # translate.

    def _ways(self, module: Module, node: ast.expr, deep: int) -> list[str]:
        if deep > 12:
            return ["{}"]
        if isinstance(node, ast.Constant):
            return [node.value.replace("{}", "{ }")] if isinstance(node.value, str) else ["{}"]
        if isinstance(node, ast.JoinedStr):
            return ["".join(self._part(module, part, deep) for part in node.values)]
        if isinstance(node, ast.IfExp):
            return self._ways(module, node.body, deep + 1) + self._ways(module, node.orelse, deep + 1)
        if isinstance(node, ast.BoolOp):
            return [way for value in node.values for way in self._ways(module, value, deep + 1)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._ways(module, node.left, deep + 1), self._ways(module, node.right, deep + 1)
            return [a + b for a in left for b in right][:_MAY]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return [re.sub(r"%\(\w+\)[sd]|%[sd]", "{}", way) for way in self._ways(module, node.left, deep + 1)]
        if isinstance(node, ast.Call):
            return self._called(module, node, deep)
        if isinstance(node, ast.Name):
            return self._named(module, node, deep)
        if isinstance(node, ast.Subscript):
            return self._ways(module, node.value, deep + 1)
        if isinstance(node, ast.Dict):
            return [way for value in node.values for way in self._ways(module, value, deep + 1)]
        if isinstance(node, ast.Tuple | ast.List):
            return [way for value in node.elts for way in self._ways(module, value, deep + 1)]
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return self._ways(module, node.elt, deep + 1)
        return ["{}"]

    def _part(self, module: Module, part: ast.expr, deep: int) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        assert isinstance(part, ast.FormattedValue)
        if not isinstance(part.value, ast.Name) or module.constants.get(part.value.id) is None:
            self.found |= {(module.key, numbered(w)) for w in self._ways(module, part.value, deep + 1) if w != "{}"}
            return "{}"
        ways = self._ways(module, part.value, deep + 1)  # a constant of the file, such as a piece of SQL
        return ways[0] if len(ways) == 1 else "{}"

    def _called(self, module: Module, node: ast.Call, deep: int) -> list[str]:
        name = _name(node.func)
        if name in _WRAPPERS:
            return [w for w in self._ways(module, node.args[0], deep + 1) if "%" in w] if node.args else []
        if name in _PLAIN and node.args:
            return self._ways(module, node.args[0], deep + 1)
        if name in ("join", "get", "format", "replace", "lower", "strip") and isinstance(node.func, ast.Attribute):
            if name == "join":
                self.found |= {(module.key, numbered(w)) for w in self._ways(module, node.args[0], deep + 1)}
                return ["{}"]
            more = self._ways(module, node.args[1], deep + 1) if name == "get" and len(node.args) > 1 else []
            ways = self._ways(module, node.func.value, deep + 1)
            return [re.sub(r"\{\w*\}", "{}", w) for w in ways] + more
        function = module.functions.get(name)
        if function is None or isinstance(node.func, ast.Attribute):
            return ["{}"]
        return self._returned(module, function, deep)[:_MAY] or ["{}"]

    def _returned(self, module: Module, function: ast.FunctionDef, deep: int) -> list[str]:
        told = [n.value for n in ast.walk(function) if isinstance(n, ast.Return | ast.Yield) and n.value is not None]
        return [way for value in told for way in self._ways(module, value, deep + 1)]

    def _named(self, module: Module, node: ast.Name, deep: int) -> list[str]:
        function = module.inside.get(node)
        while function is not None:
            arguments = [*function.args.posonlyargs, *function.args.args]
            names = [a.arg for a in arguments]
            if node.id in names or node.id in [a.arg for a in function.args.kwonlyargs]:
                place = names.index(node.id) - (names[0] in ("self", "cls")) if node.id in names else 99
                known = self.told.setdefault((module.key, function.name), {})
                if node.id not in known:
                    self.told[(module.key, function.name)] = {**known, node.id: place}
                return ["{}"]
            set_here = [
                n.value
                for n in ast.walk(function)
                if isinstance(n, ast.Assign | ast.AnnAssign)
                and n.value is not None
                and not _mentions(n.value, node.id)
                and any(
                    isinstance(t, ast.Name) and t.id == node.id
                    for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
                )
            ]
            set_here += list(_unpacked(function, node.id))
            if set_here:
                return [way for value in set_here for way in self._ways(module, value, deep + 1)]
            function = module.inside.get(function)
        constant = module.constants.get(node.id)
        return self._ways(module, constant, deep + 1) if constant is not None else ["{}"]


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _unpacked(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """`a, b = "x", "y"` and lists that are filled by `append`."""
    for n in ast.walk(function):
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Tuple):
            for place, target in enumerate(n.targets[0].elts):
                if isinstance(target, ast.Name) and target.id == name:
                    values = [n.value.body, n.value.orelse] if isinstance(n.value, ast.IfExp) else [n.value]
                    yield from (v.elts[place] for v in values if isinstance(v, ast.Tuple) and len(v.elts) > place)
        if isinstance(n, ast.Call) and ast.unparse(n.func) == f"{name}.append" and n.args:
            yield n.args[0]


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _python() -> set[tuple[str, Pattern]]:
    return {("karez/" + key, pattern) for key, pattern in Reader(_TOLD).read()}
