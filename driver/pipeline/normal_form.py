"""Definitions in a form that comments, docstrings, formatting and places do not change."""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver.pipeline.source_code import (
    ALL,
    EXECUTED,
    MAIN,
    Module,
    Reference,
    file_at,
    is_docstring,
    is_ours,
    load,
    local_names,
    only_for_types,
    resolve,
)

__all__ = ["Normal", "normal"]

DOTTED = re.compile(r"\w+(\.\w+)+")
DATA = "mapsight/data"
"""The folder of tables that code reads by their names."""


@dataclass(frozen=True)
class Normal:
    """A definition as it counts: its text, what it refers to in that order, what it imports."""

    text: str
    references: tuple[Reference, ...] = ()
    imports: tuple[str, ...] = ()


@functools.cache
def normal(reference: Reference, root: Path) -> Normal:
    """Return the normal form of a definition, of a module's executed statements, or of all of it.

    Its text has neither comments, docstrings, formatting nor annotations of functions, and no
    names of this project's modules: a placeholder stands for each reference.
    """
    name, part = reference
    module = load(name, root)
    assert module is not None
    if part == ALL:
        parts = [*sorted({*module.definitions} - {EXECUTED, MAIN}), MAIN]
        return Normal(ALL, tuple((name, each) for each in parts))
    writer = _Writer(module)
    for statement in module.definitions.get(part, ()):
        writer.write(statement)
    return Normal("".join(writer.pieces), tuple(writer.references), tuple(writer.imports))


class _Writer:
    """Writes syntax trees without what cannot change an outcome."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._scopes: list[dict[str, str | None]] = []
        self.pieces: list[str] = []
        self.references: list[Reference] = []
        self.imports: list[str] = []

    def write(self, node: ast.AST) -> None:
        """Write a tree."""
        special = SPECIAL.get(type(node))
        if special is None or not special(self, node):
            self._plain(node)

    def _plain(self, node: ast.AST) -> None:
        self.pieces.append(f"({type(node).__name__}")
        for name in node._fields:
            if name not in UNREAD:
                self._value(name, getattr(node, name, None))
        self.pieces.append(")")

    def _value(self, name: str, value: object) -> None:
        if value is None or value == []:
            return
        self.pieces.append(f" {name}=")
        if isinstance(value, ast.AST):
            self.write(value)
        elif isinstance(value, list):
            for each in value:
                self.write(each) if isinstance(each, ast.AST) else self.pieces.append(repr(each))
        else:
            self.pieces.append(repr(value))

    def _refer(self, reference: Reference) -> None:
        self.references.append(reference)
        self.pieces.append("(#)")

    def _meant(self, name: str) -> tuple[str | None, bool]:
        """Return the address of what a name was imported from, and whether it is local."""
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name], True
        return self._module.aliases.get(name), False

    def _name(self, node: ast.Name) -> bool:
        address, local = self._meant(node.id)
        if address is not None:
            return self._address(address)
        if local or node.id not in self._module.definitions:
            return False
        self._refer((self._module.name, node.id))
        return True

    def _address(self, address: str) -> bool:
        """Write what an address stands for, `numpy.sum` or a definition of ours."""
        if not is_ours(address):
            self.pieces.append(f"(from {address})")
            return True
        reference, rest = resolve(address, self._module.root)
        if reference is not None:
            self._refer(reference)
        self.pieces.append(rest)
        return True

    def _attribute(self, node: ast.Attribute) -> bool:
        """Write `module.name` of this project as what it is; others are plain."""
        names, base = [node.attr], node.value
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            return False
        address, _ = self._meant(base.id)
        if address is None or not is_ours(address):
            return False
        return self._address(".".join([address, *reversed(names)]))

    def _constant(self, node: ast.Constant) -> bool:
        """Write the name of one of our modules, for a process or a job, as that module.

        The name of one of our tables has what is in it beside it.
        """
        text = node.value
        if not (isinstance(text, str) and DOTTED.fullmatch(text)):
            return False
        if load(text, self._module.root):
            self._refer((text, ALL))
            return True
        table = file_at(f"{DATA}/{text}", self._module.root)
        if table.is_file():
            self.pieces.append(f"(table {hashlib.sha256(table.read_bytes()).hexdigest()})")
        return False

    def _import(self, node: ast.Import | ast.ImportFrom) -> bool:
        """Remember what is imported; only that of others is written, for ours is followed."""
        for _, address in self._module.imported(node):
            self.imports.append(address)
            if not is_ours(address):
                self.pieces.append(f"(import {address})")
        return True

    def _definition(self, node: ast.FunctionDef) -> bool:
        """Write a function without what it returns; its defaults are not in its scope."""
        self.pieces.append(f"({type(node).__name__} {node.name}")
        self._value("decorators", node.decorator_list)
        self._value("parameters", node.args)
        self._scopes.append(local_names(self._module, node))
        self._value("body", node.body)
        self._scopes.pop()
        self.pieces.append(")")
        return True

    def _parameter(self, node: ast.arg) -> bool:
        self.pieces.append(f"(arg {node.arg})")
        return True

    def _class(self, node: ast.ClassDef) -> bool:
        """Write a class; the annotations of its fields count, for a dataclass reads them."""
        for each in node.body:
            if isinstance(each, ast.AnnAssign):
                self.pieces.append(f"(field {ast.unparse(each.annotation)})")
                if each.value is None:
                    self.pieces.append(ast.unparse(each.target))
        imports = [each for each in node.body if isinstance(each, ast.Import | ast.ImportFrom)]
        self._scopes.append({k: v for each in imports for k, v in self._module.imported(each)})
        self._plain(node)
        self._scopes.pop()
        return True

    def _annotated(self, node: ast.AnnAssign) -> bool:
        """Write an assignment with a type as one without."""
        if node.value is not None:
            self.write(ast.Assign(targets=[node.target], value=node.value))
        return True

    def _text_alone(self, node: ast.Expr) -> bool:
        return is_docstring(node)

    def _raised(self, node: ast.Raise) -> bool:
        """Leave out what a failure says: it ends the run, and no outcome comes of it."""
        if not (isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in FAILURES):
            return False
        self.pieces.append("(fail)")
        return True

    def _branch(self, node: ast.If) -> bool:
        """Leave out what is for types alone."""
        if not only_for_types(node):
            return False
        for each in node.orelse:
            self.write(each)
        return True


FAILURES = {"Failure", "UsageError"}
UNREAD = {"ctx", "kind", "type_comment", "type_ignores"}
SPECIAL: dict[type[ast.AST], Callable[[_Writer, Any], bool]] = {
    ast.Name: _Writer._name,
    ast.Attribute: _Writer._attribute,
    ast.Constant: _Writer._constant,
    ast.Import: _Writer._import,
    ast.ImportFrom: _Writer._import,
    ast.FunctionDef: _Writer._definition,
    ast.AsyncFunctionDef: _Writer._definition,
    ast.ClassDef: _Writer._class,
    ast.arg: _Writer._parameter,
    ast.AnnAssign: _Writer._annotated,
    ast.Expr: _Writer._text_alone,
    ast.If: _Writer._branch,
    ast.Raise: _Writer._raised,
}
