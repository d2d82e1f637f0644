"""Fingerprints: what decides a stage's outcome, as one number."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from driver.pipeline.digest_cache import cached_digest
from driver.pipeline.normal_form import normal
from driver.pipeline.source_code import (
    ALL,
    EXECUTED,
    Reference,
    file_at,
    is_ours,
    load,
    module_name,
)
from mapsight.application import APPLICATION
from mapsight.files import fingerprint

__all__ = [
    "ROOT",
    "code_digest",
    "definition_of",
    "reached_definitions",
    "reached_modules",
]

ROOT = Path(APPLICATION)


def definition_of(function: Callable[..., object]) -> str:
    """Return what names a function in `code_digest`.

    >>> definition_of(code_digest)
    'driver.pipeline.fingerprint:code_digest'
    """
    return f"{function.__module__}:{function.__qualname__}"


def code_digest(*roots: str, base: Path | None = None) -> str:
    """Return a digest of what code can do: of definitions, and all of ours that they reach.

    Comments, docstrings, formatting, annotations of functions, and where and under which name
    modules stand change nothing; nor does what the roots cannot reach. What importing executes
    counts for each module that is imported on the way.

    Args:
        roots: `package.module:name` for a definition, `mr_jobs/rank_images.py` for a module with
            all that is in it, and any other path for the bytes of that file. A definition of
            another project counts by its name.
        base: the folder that holds the packages; None takes this project's.
    """
    if base in (None, ROOT):
        return _cached_digest(roots)
    return _code_digest(roots, base)


@functools.cache
def _cached_digest(roots: tuple[str, ...]) -> str:
    data = [file_at(name, ROOT) for name in _data_of(roots)]
    return cached_digest(roots, data, lambda: _code_digest(roots, ROOT))


def _data_of(roots: Iterable[str]) -> list[str]:
    return [root for root in roots if ":" not in root and not root.endswith(".py")]


@functools.cache
def _code_digest(roots: tuple[str, ...], base: Path) -> str:
    data = _data_of(roots)
    foreign = [root for root in roots if ":" in root and not is_ours(root)]
    code = [root for root in roots if root not in (*data, *foreign)]
    parts = {hashlib.sha256(file_at(name, base).read_bytes()).hexdigest() for name in data}
    parts |= {trace.digest for trace in _traces(code, base)}
    return fingerprint(sorted([*parts, *foreign]))


def reached_modules(*roots: str) -> list[str]:
    """Return the names of this project's modules that are imported when roots run, sorted."""
    modules = {name for trace in _traces(roots, ROOT) for name in trace.modules}
    return sorted(_imported(modules, ROOT))


def reached_definitions(*roots: str) -> list[Reference]:
    """Return what counts in the digest of roots, as (module, name), sorted."""
    return sorted({each for trace in _traces(roots, ROOT) for each in trace.definitions})


@dataclass(frozen=True)
class _Trace:
    """What a definition reaches: as a digest, by name, and the modules that are imported."""

    digest: str
    definitions: frozenset[Reference]
    modules: frozenset[str]


def _traces(roots: Iterable[str], base: Path) -> list[_Trace]:
    """Follow roots, and what is executed when the modules on the way are imported."""
    traces = [_trace(_reference(root, base), base) for root in roots]
    entered: set[str] = set()
    while new := _imported({m for trace in traces for m in trace.modules}, base) - entered:
        entered |= new
        for name in new:
            module = load(name, base)
            if module and EXECUTED in module.definitions:
                traces.append(_trace((name, EXECUTED), base))
    return traces


def _reference(root: str, base: Path) -> Reference:
    module, _, name = root.partition(":")
    found = load(module_name(module), base)
    if found is None:
        raise ValueError(f"{root}: no module of this project")
    # a function in a function, or one without a name, is of the module
    return found.name, name if name and name in found.definitions else ALL


@functools.cache
def _trace(root: Reference, base: Path) -> _Trace:
    """Number what is reached in the order in which the code names it: no path decides that."""
    numbers, todo, digest = {root: 0}, [root], hashlib.sha256()
    imports: set[str] = set()
    for reference in todo:
        form = normal(reference, base)
        for each in form.references:
            if each not in numbers:
                numbers[each] = len(numbers)
                todo.append(each)
        named = [numbers[each] for each in form.references]
        digest.update(f"{form.text}{named}\n".encode("utf-8", "surrogatepass"))
        imports |= {reference[0], *form.imports}
    return _Trace(digest.hexdigest(), frozenset(numbers), frozenset(imports))


@functools.cache
def _imports_of(address: str, base: Path) -> frozenset[str]:
    """Return the module at an address with the packages above it, and addresses it imports."""
    parts = address.split(".")
    names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    modules = [module for name in names if (module := load(name, base))]
    below = {each for module in modules for each in module.imports}
    return frozenset({*(module.name for module in modules), *below})


def _imported(addresses: Iterable[str], base: Path) -> set[str]:
    """Return the modules that are imported with those at some addresses, all the way down."""
    todo, seen = list(addresses), set[str]()
    while todo:
        address = todo.pop()
        if address not in seen:
            seen.add(address)
            todo += _imports_of(address, base) - seen
    return {address for address in seen if load(address, base)}
