"""The places that the edits belong to, found in the syntax tree of a release."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from a2patch.patch import class_tests, scopes
from a2patch.tree import NotPythonError, parse_python


class AnchorError(Exception):
    """A file has no place where an edit belongs, or not just one; says which and why."""


def parse(content: bytes) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        AnchorError: This interpreter can't parse it.
    """
    try:
        return parse_python(content)
    except NotPythonError as error:
        raise AnchorError(f"no Python that this interpreter can parse: {error}") from error


def parse_model(module: ast.Module) -> ast.FunctionDef:
    """The function that turns a model YAML into layers.

    Raises:
        AnchorError: There is none, or more than one.
    """
    found = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "parse_model"]
    if len(found) != 1:
        raise AnchorError(f"{len(found)} functions named parse_model, expected 1")
    return found[0]


@dataclass(frozen=True)
class Chain:
    """The `if … elif … else` of `parse_model` that tells by class how a row's arguments are made.

    Attributes:
        function: `parse_model`.
        branches: Its `if` and every `elif`, in order.
        concat: The branch that sets `c2` for `Concat`.
    """

    function: ast.FunctionDef
    branches: tuple[ast.If, ...]
    concat: ast.If


def chain(module: ast.Module) -> Chain:
    """Find the chain in `parse_model`: the outermost one that has a branch which sets `c2` for `Concat`.

    Raises:
        AnchorError: There is none, or more than one.
    """
    function = parse_model(module)
    values = scopes.values(function, module)
    statements = [node for node in scopes.nodes(function) if isinstance(node, ast.If)]
    continued = {id(branch) for statement in statements for branch in list(_branches(statement))[1:]}
    found = []
    for statement in statements:
        branches = () if id(statement) in continued else tuple(_branches(statement))
        concat = next((branch for branch in branches if _sets_concat(branch, values)), None)
        if concat:
            found.append(Chain(function, branches, concat))
    nested = {id(node) for one in found for branch in one.branches for part in branch.body for node in ast.walk(part)}
    outermost = [one for one in found if id(one.branches[0]) not in nested]
    if len(outermost) != 1:
        raise AnchorError(_why_not_one(function, values, outermost))
    return outermost[0]


def _why_not_one(function: ast.FunctionDef, values: class_tests.Values, found: list[Chain]) -> str:
    if found:
        lines = sorted(one.branches[0].lineno for one in found)
        return f"{len(found)} chains in parse_model set c2 for Concat (lines {str(lines)[1:-1]}), expected 1"
    reason = "no chain of if and elif in parse_model has a branch that sets c2 for Concat"
    if any(isinstance(node, ast.Match) for node in ast.walk(function)):
        return f"{reason}; where match tells the classes apart, register ours by hand"
    unknown = sorted(set(class_tests.unknown_collections(function, values)))
    return f"{reason}; which classes are in {', '.join(unknown)}, its file does not say" if unknown else reason


def _sets_concat(branch: ast.If, values: class_tests.Values) -> bool:
    if not class_tests.is_for(branch.test, "Concat", values):
        return False
    names = (node for statement in branch.body for node in ast.walk(statement) if isinstance(node, ast.Name))
    return any(node.id == "c2" and isinstance(node.ctx, ast.Store) for node in names)


def modules_import(module: ast.Module) -> ast.ImportFrom:
    """The statement that brings upstream's modules: from the package if there is one, else from one of its files.

    Raises:
        AnchorError: There is none.
    """
    imports = [node for node in module.body if isinstance(node, ast.ImportFrom)]
    for pattern in (r"(.*\.)?nn\.modules|modules", r"(.*\.)?nn\.modules\.conv|modules\.conv"):
        for node in imports:
            fits = re.fullmatch(pattern, node.module or "") and (node.level or "nn.modules" in (node.module or ""))
            if fits and any(alias.name in {"Concat", "*"} for alias in node.names):
                return node
    raise AnchorError("no statement imports Concat from nn.modules")


def _branches(statement: ast.If) -> Iterator[ast.If]:
    """An `if` and every `elif` of it; an `if` inside its `else`, which is indented, is no `elif`."""
    following: ast.stmt | None = statement
    while isinstance(following, ast.If) and following.col_offset == statement.col_offset:
        yield following
        following = following.orelse[0] if len(following.orelse) == 1 else None


def exports(module: ast.Module) -> ast.Tuple | ast.List | None:
    """The literal that is assigned to `__all__`, or None where there is none.

    Raises:
        AnchorError: `__all__` is made in another way.
    """
    for node in module.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
            ):
                if isinstance(value, ast.Tuple | ast.List):
                    return value
                raise AnchorError(f"line {node.lineno}: __all__ is neither a tuple nor a list")
    return None
