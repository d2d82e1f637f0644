"""Who imports whom, read from source without running it, and the rules that hold of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

MOST_MODULES = 20
"""Of one folder: more are not seen at a glance."""


class Import(NamedTuple):
    """An import statement: which module has it, what it names, and where it stands."""

    module: str
    target: str
    line: int
    late: bool
    """Inside a function: made when that is called."""

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def module_names(root: Path, *folders: str) -> dict[str, Path]:
    """Return the modules below folders of a tree by dotted name; a package's is its folder's."""
    files = (file for folder in folders for file in sorted((root / folder).rglob("*.py")))
    return {_dotted(file.relative_to(root)): file for file in files}


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(modules: Mapping[str, Path]) -> list[Import]:
    """Return all imports of modules but those for type checkers, whatever they name."""
    return [
        Import(name, target, line, late)
        for name, file in modules.items()
        for target, line, late in _statements(ast.parse(file.read_text("utf-8")), modules, False)
    ]


def _statements(
    node: ast.AST, modules: Collection[str], late: bool
) -> Iterator[tuple[str, int, bool]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, node.lineno, late) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            own = whole in modules or alias.name.startswith("__")  # `__version__` is no module's
            yield whole if own else node.module or ".", node.lineno, late
    late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, modules, late)


def graph(found: Iterable[Import], modules: Collection[str]) -> dict[str, set[str]]:
    """Return for each module those of the others that it imports."""
    edges: dict[str, set[str]] = {name: set() for name in modules}
    for each in found:
        if each.target in edges and each.target != each.module:
            edges[each.module].add(each.target)
    return edges


def reached(edges: Mapping[str, Collection[str]], *starts: str) -> set[str]:
    """Return modules and all that they import, directly or through others."""
    todo, seen = list(starts), set[str]()
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo.extend(edges.get(name, ()))
    return seen


def circles(edges: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return the circles of imports, each as its modules in alphabetical order."""
    ahead = {name: reached(edges, *edges[name]) for name in edges}
    closed = (sorted(b for b in ahead[a] if a in ahead[b]) for a in edges if a in ahead[a])
    return [list(circle) for circle in sorted({tuple(circle) for circle in closed})]


def longest_chain(edges: Mapping[str, Collection[str]]) -> list[str]:
    """Return the longest chain of modules each of which imports the next; there are no circles."""
    chains: dict[str, list[str]] = {}

    def from_module(name: str) -> list[str]:
        if name not in chains:
            below = (from_module(target) for target in edges[name])
            chains[name] = [name, *max(below, key=len, default=[])]
        return chains[name]

    return max(map(from_module, edges), key=len, default=[])


def upward(
    found: Iterable[Import], room: Callable[[str], str | None], may: Mapping[str, Collection[str]]
) -> list[Import]:
    """Return the imports from one room to another that its row of `may` does not allow.

    Args:
        room: the room of a module, None for those of others.
        may: for each room the others that it imports from; what these may, it may too.
    """
    below = {name: reached(may, *may[name]) for name in may}
    pairs = ((each, room(each.module), room(each.target)) for each in found)
    return [each for each, a, b in pairs if a and b and a != b and b not in below.get(a, ())]


def of_packages(found: Iterable[Import], packages: Collection[str]) -> list[Import]:
    """Return the imports of packages, or of modules in them."""
    return [each for each in found if each.target.split(".")[0] in packages]


def crowded(modules: Mapping[str, Path], most: int = MOST_MODULES) -> dict[str, int]:
    """Return the folders with more modules than that, and how many; `__init__.py` is none."""
    files = [file for file in modules.values() if file.name != "__init__.py"]
    counts = {str(file.parent): 0 for file in files}
    for file in files:
        counts[str(file.parent)] += 1
    return {folder: count for folder, count in counts.items() if count > most}
