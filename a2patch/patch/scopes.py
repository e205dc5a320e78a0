"""What a module or a function binds in its own scope, as far as its syntax tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from a2patch.tree import NotPythonError, parse_python

Scope = ast.Module | ast.FunctionDef

_NESTED = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def nodes(scope: Scope) -> Iterator[ast.AST]:
    """The nodes of a scope, in no order; of those nested in it the node itself, and what a walrus binds outside."""
    inside: list[ast.AST] = [*scope.body]
    while inside:
        node = inside.pop()
        yield node
        if not isinstance(node, _NESTED):
            inside.extend(ast.iter_child_nodes(node))
        elif isinstance(node, _NESTED[4:]):
            inside.extend(inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))


def bound(scope: Scope) -> set[str]:
    """Every name that a scope binds; `*` among them where it imports everything from a module."""
    names = {name for node in nodes(scope) for name in _bound_by(node)}
    if isinstance(scope, ast.FunctionDef):
        return names | {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
    return names | {name for node in ast.walk(scope) if isinstance(node, ast.Global) for name in node.names}


def names_bound(content: bytes) -> set[str]:
    """Return the names that a file binds at its top: classes, functions, imports; none where it is no Python."""
    try:
        module = parse_python(content)
    except NotPythonError:
        return set()
    defined = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
    return bound(module) | defined


def values(*around: Scope) -> dict[str, list[ast.expr]]:
    """For each name, the expressions that its value is made of, in the innermost that binds it.

    Args:
        around: The scopes, each inside the next.
    """
    found: dict[str, list[ast.expr]] = {}
    for scope in reversed(around):
        found.update({name: [] for name in bound(scope)})
        for node in nodes(scope):
            for target, parts in _given_by(node):
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).extend(parts)
    return found


def _bound_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case ast.alias(name=name, asname=asname):
            return [asname or name.split(".")[0]]
        case (
            ast.FunctionDef(name=str(name))
            | ast.AsyncFunctionDef(name=str(name))
            | ast.ClassDef(name=str(name))
            | ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            return [name]
    return []


def _given_by(node: ast.AST) -> list[tuple[ast.expr, list[ast.expr]]]:
    """What a statement or a call makes or adds to, and of what."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [(target, [value]) for target in targets]
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            return [(target, [value])]
        case ast.AugAssign(target=target, op=op, value=value) if not isinstance(op, ast.Sub):
            return [(target, [value])]
        case ast.Call(func=ast.Attribute(value=target, attr="add" | "append" | "extend" | "update"), args=args):
            return [(target, args)]
        case ast.alias(name=imported, asname=str(name)):
            return [(ast.Name(name), [ast.Name(imported)])]
    return []
