"""This project's modules, taken apart: what each name in them stands for."""

from __future__ import annotations

import ast
import functools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mapsight.application import APPLICATION, project_file

__all__ = [
    "ALL",
    "EXECUTED",
    "MAIN",
    "Module",
    "Reference",
    "file_at",
    "is_docstring",
    "is_ours",
    "load",
    "local_names",
    "module_name",
    "only_for_types",
    "resolve",
    "statements",
    "targets",
]

PACKAGES = ("mapsight", "driver", "mr_jobs")
ALL, EXECUTED, MAIN = "*", "", "__main__"
"""Of a module, beside its names: the whole of it, what importing does, and what running adds."""
NOT_CODE = ("__all__", "__version__")
PARSING = threading.Lock()
"""Stages run in threads, and Python 3.11 counts the depth of two trees as one: a SystemError, where
collecting garbage hands over from one thread to the other (python/cpython#106905)."""
Reference = tuple[str, str]
"""The name of a module, and one of a definition in it."""


@dataclass
class Module:
    """A module taken apart: statements by the name they bind, and names by what they stand for."""

    name: str
    root: Path
    is_package: bool = False
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)

    def add(self, statement: ast.stmt) -> None:
        """File a statement of the module's top level under what it binds, or as executed."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self.aliases |= dict(self.imported(statement))
            self.imports += [address for _, address in self.imported(statement)]
        elif isinstance(statement, ast.If) and only_for_types(statement):
            self._add_all(statement.orelse)
        elif isinstance(statement, ast.If) and _asks_for_main(statement.test):
            self._file(MAIN, statement)
        elif not is_docstring(statement):
            names = _bound(statement)
            for name in names or [EXECUTED]:
                self._file(name, statement)
            if isinstance(statement, ast.If | ast.Try | ast.With | ast.For):
                self._add_imports_inside(statement)

    def _add_all(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.add(statement)

    def _file(self, name: str, statement: ast.stmt) -> None:
        if name not in NOT_CODE:
            self.definitions.setdefault(name, []).append(statement)

    def _add_imports_inside(self, statement: ast.stmt) -> None:
        """Know the names that `try`, `if` and the like import or define at the top level."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.add(node)
            elif isinstance(node, ast.stmt) and node is not statement:
                for name in _bound(node):
                    self._file(name, statement)

    def imported(self, statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        """Yield the names that an import binds, each with its address: `package.module.name`."""
        if isinstance(statement, ast.Import):
            for each in statement.names:
                first = each.name.partition(".")[0]
                yield each.asname or first, each.name if each.asname else first
                if not each.asname:  # `import a.b` binds a, and imports b
                    yield f"import {each.name}", each.name
            return
        base = self._base(statement)
        for each in statement.names:
            yield each.asname or each.name, f"{base}.{each.name}"

    def _base(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        parts = self.name.split(".")
        above = parts[: len(parts) - statement.level + self.is_package]
        return ".".join([*above, *([statement.module] if statement.module else [])])


def is_ours(address: str) -> bool:
    """
    >>> is_ours("mapsight.text.plain"), is_ours("numpy.sum")
    (True, False)
    """
    return address.partition(".")[0] in PACKAGES


def is_docstring(statement: ast.stmt) -> bool:
    """Return whether a statement is a text alone, wherever it stands."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def only_for_types(statement: ast.If) -> bool:
    return ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _asks_for_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and ast.unparse(test.left) == "__name__"


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names that a definition or an assignment to names binds; none of others."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    else:
        return []
    flat = [leaf for target in targets for leaf in getattr(target, "elts", [target])]
    names = [leaf.id for leaf in flat if isinstance(leaf, ast.Name) and leaf.id != "_"]
    return names if len(names) == len(flat) else []


def file_at(name: str, root: Path) -> Path:
    """Return where a file is in a tree; of an installed program, the library is not below root."""
    return project_file(name) if str(root) == APPLICATION else root / name


def statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block, with those in `if`, `for`, `try` and the like."""
    for statement in block:
        yield statement
        if not isinstance(statement, OWN_SCOPE):
            for name in BLOCKS:
                yield from statements(getattr(statement, name, []))


def targets(statement: ast.stmt) -> list[ast.expr | None]:
    """Return what a statement assigns to; None where it does not."""
    if isinstance(statement, ast.With | ast.AsyncWith):
        return [item.optional_vars for item in statement.items]
    return [*getattr(statement, "targets", ()), getattr(statement, "target", None)]


OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@functools.cache
def load(name: str, root: Path) -> Module | None:
    """Return a module of this project; None if it has none of this name.

    Args:
        name: with dots.
        root: the folder that holds the packages.
    """
    place = file_at(name.replace(".", "/"), root)
    paths = [place.with_suffix(".py"), place / "__init__.py"]
    path = next((path for path in paths if path.is_file()), None)
    if path is None or not is_ours(name):
        return None
    module = Module(name, root, is_package=path.name == "__init__.py")
    with PARSING:
        parsed = ast.parse(path.read_bytes())
    module._add_all(parsed.body)
    return module


def module_name(path: str) -> str:
    """
    >>> module_name("mr_jobs/rank_images.py")
    'mr_jobs.rank_images'
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@functools.cache
def resolve(address: str, root: Path) -> tuple[Reference | None, str]:
    """Return the definition at an address of this project, and the attributes that are left.

    What a module hands on from another is the other's. A bare module, or a name that cannot
    be found in one, stands for all of it.
    """
    parts = address.split(".")
    for length in range(len(parts), 0, -1):
        module = load(".".join(parts[:length]), root)
        if module is not None:
            break
    else:
        return None, address
    if length == len(parts):
        return (module.name, ALL), ""
    name, rest = parts[length], "".join(f".{part}" for part in parts[length + 1 :])
    if name in module.definitions:
        return (module.name, name), rest
    if name in NOT_CODE:
        return None, f".{name}{rest}"
    handed_on = module.aliases.get(name)
    if handed_on and is_ours(handed_on):
        return resolve(handed_on + rest, root)
    if handed_on:
        return None, f"(from {handed_on}){rest}"
    return (module.name, ALL), ""


def local_names(module: Module, function: ast.FunctionDef) -> dict[str, str | None]:
    """Return parameters and what statements assign, and the addresses of what is imported.

    What a comprehension, a pattern or `:=` binds is left out: it may be the module's.
    """
    names: dict[str, str | None] = {
        node.arg: None for node in ast.walk(function.args) if isinstance(node, ast.arg)
    }
    shared = set[str]()
    for statement in statements(function.body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= dict(module.imported(statement))
        elif isinstance(statement, ast.Global):
            shared.update(statement.names)
        for target in filter(None, targets(statement)):
            leaves = (leaf for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
            names |= {leaf.id: None for leaf in leaves if isinstance(leaf.ctx, ast.Store)}
    return {name: address for name, address in names.items() if name not in shared}
