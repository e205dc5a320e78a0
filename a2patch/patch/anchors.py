"""The places that the edits belong to, found in the syntax tree of a release."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass


class AnchorError(Exception):
    """A file has no place where an edit belongs, or not just one; says which and why."""


def parse(content: bytes) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        AnchorError: This interpreter can't parse it.
    """
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError) as error:
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
    """

    function: ast.FunctionDef
    branches: tuple[ast.If, ...]

    def bound(self) -> set[str]:
        """Every name that `parse_model` binds."""
        names = {node.id for node in ast.walk(self.function) if isinstance(node, ast.Name) and _stores(node)}
        arguments = self.function.args
        return names | {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def chain(function: ast.FunctionDef) -> Chain:
    """Find the chain: the one that has a branch for `Concat`.

    Raises:
        AnchorError: There is none, or more than one.
    """
    statements = [node for node in ast.walk(function) if isinstance(node, ast.If)]
    continued = {id(branch) for statement in statements for branch in list(_branches(statement))[1:]}
    chains = [tuple(_branches(statement)) for statement in statements if id(statement) not in continued]
    found = [branches for branches in chains if any(is_for_concat(branch) for branch in branches)]
    if len(found) != 1:
        raise AnchorError(f"{len(found)} chains with a branch for Concat in parse_model, expected 1")
    return Chain(function, found[0])


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


def _branches(statement: ast.stmt) -> Iterator[ast.If]:
    while isinstance(statement, ast.If):
        yield statement
        if len(statement.orelse) != 1:
            return
        statement = statement.orelse[0]


def is_for_concat(branch: ast.If) -> bool:
    """Whether a branch tests `m` for `Concat`: by `is`, by `==`, or in a collection."""
    match branch.test:
        case ast.Compare(left=ast.Name(id="m"), ops=[ast.Is() | ast.Eq() | ast.In()], comparators=[against]):
            return any(isinstance(node, ast.Name) and node.id == "Concat" for node in ast.walk(against))
    return False


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


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
