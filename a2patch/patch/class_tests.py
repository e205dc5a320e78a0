"""The tests by which `parse_model` tells the class `m` of a row: what they name, in the many ways that forks write."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from a2patch.patch import scopes

Values = Mapping[str, Sequence[ast.expr]]


def is_for(test: ast.expr, name: str, values: Values) -> bool:
    """Whether a test is for a class, by itself or among others.

    Args:
        test: The test of a branch.
        name: The name of the class.
        values: What the names are made of that `parse_model` knows.
    """
    match test:
        case ast.BoolOp(values=parts):
            return any(is_for(part, name, values) for part in parts)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq() | ast.In() as how], comparators=[right]):
            pairs = [(left, right)] if isinstance(how, ast.In) else [(left, right), (right, left)]
        case ast.Call(func=ast.Name(id="issubclass"), args=[left, right]):
            pairs = [(left, right)]
        case _:
            return False
    return any(
        (_is_class(tested) and _holds(against, name, values, text=False))
        or (_is_class_name(tested) and _holds(against, name, values, text=True))
        for tested, against in pairs
    )


def names_classes(test: ast.expr) -> bool:
    """Whether only classes that a test names pass it, so that none which it does not know can."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return any(map(names_classes, values))
        case ast.BoolOp(op=ast.Or(), values=values):
            return all(map(names_classes, values))
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq() | ast.In() as how], comparators=[right]):
            tested = [left] if isinstance(how, ast.In) else [left, right]
            return any(_is_class(node) or _is_class_name(node) for node in tested)
    return False


def unknown_collections(function: ast.FunctionDef, values: Values) -> Iterator[str]:
    """The names that `m` is looked for in and of which nothing tells what is in them."""
    for node in scopes.nodes(function):
        match node:
            case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.Name(id=name)]):
                if _is_class(left) and not values.get(name):
                    yield name


def _is_class(node: ast.expr) -> bool:
    """Whether an expression is `m`, maybe given another name on the way."""
    match node:
        case ast.Name(id="m") | ast.NamedExpr(value=ast.Name(id="m")):
            return True
    return False


def _is_class_name(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=value, attr="__name__" | "__qualname__"):
            return _is_class(value)
    return False


def _holds(node: ast.AST, name: str, values: Values, *, text: bool, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an expression is a class or holds it, by its name in quotes where `text` is asked for."""
    match node:
        case ast.Name(id=used) | ast.Attribute(attr=used) if used == name:
            return True
        case ast.Constant(value=value):
            return text and value == name
        case ast.Name(id=used):
            parts: list[ast.AST] = [] if used in seen else [*values.get(used, ())]
            seen |= {used}
        case ast.BinOp(op=ast.Sub(), left=left):
            parts = [left]
        case ast.Dict(keys=keys):
            parts = [key for key in keys if key]
        case _:
            parts = [*ast.iter_child_nodes(node)]
    return any(_holds(part, name, values, text=text, seen=seen) for part in parts)
