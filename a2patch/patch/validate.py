"""What must hold of a patched tree before a byte of it is written, whichever way the plan came about."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from a2patch.block import CLASSES, MODULE
from a2patch.errors import AccessError
from a2patch.patch import anchors, scopes
from a2patch.patch.ours import YAMLS
from a2patch.tree import Tree, find_files, read_file

Located = ast.expr | ast.stmt | ast.alias

_NAMES = re.compile(rb"\b(?:" + "|".join(CLASSES).encode() + rb")\b")


def taken_names(tree: Tree, patched: Collection[str], added: Collection[str]) -> tuple[str, ...]:
    """Find what a tree has of its own by a name that the patch brings: a class, a file or a model YAML.

    Args:
        tree: The tree.
        patched: Paths of the files that hold lines of the patch already.
        added: Paths of the files that would get lines of the patch.

    Returns:
        A line for each, which names both places.
    """
    return tuple(f"{place}; ours goes to {_place_for(name, added)}" for place, name in _taken(tree, patched))


def fault(path: str, content: bytes) -> str:
    """Why a patched file would not work; empty if it would.

    It must parse; `nn/tasks.py` must import our classes and register them once, inside the chain; the modules must
    import them, and export them where they export anything.

    Args:
        path: POSIX path relative to the package folder.
        content: The patched bytes.
    """
    if not path.endswith(".py"):
        return ""
    try:
        module = anchors.parse(content)
        if path == "nn/tasks.py":
            _registers(module)
        elif path in {"nn/modules/__init__.py", "nn/modules.py"}:
            _exports(module)
    except anchors.AnchorError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply to be searched"
    return ""


def _taken(tree: Tree, patched: Collection[str]) -> Iterator[tuple[str, str]]:
    for place in find_files(tree.package, "*.yaml"):
        relative = place.relative_to(tree.package).as_posix()
        if YAMLS.fullmatch(place.name) and relative not in patched:
            yield relative, place.name
    for place in find_files(tree.package / "nn", "*.py"):
        relative = place.relative_to(tree.package).as_posix()
        if relative in patched:
            continue
        if place.stem == MODULE:
            yield relative, place.name
        content = _readable(place)
        lines = content.splitlines()
        for number, name in _uses(content):
            yield f"{relative}:{number} {lines[number - 1].strip().decode('utf-8', 'replace')}", name


def _readable(place: Path) -> bytes:
    """The bytes of a file that is not ours to write: a link may lead anywhere, and what can't be read is empty."""
    try:
        return read_file(place) or b""
    except AccessError:
        return b""


def _uses(content: bytes) -> list[tuple[int, str]]:
    """Where a file names our classes, by line: as names, and in quotes where these are compared or exported.

    A comment, a docstring or any other text names nothing. Of what is no Python, each line counts.
    """
    if not _NAMES.search(content):
        return []
    try:
        module = anchors.parse(content)
    except anchors.AnchorError:
        texts = (line.split(b"#")[0] for line in content.splitlines())
        found = ((number, _NAMES.search(text)) for number, text in enumerate(texts, start=1))
        return [(number, name[0].decode()) for number, name in found if name]
    named = {(node.lineno, name) for node in ast.walk(module) for node, name in _named(node) if name in CLASSES}
    return sorted(named)


def _named(node: ast.AST) -> Iterator[tuple[Located, str]]:
    """Yield what a node of a syntax tree names itself, and where."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.Name(id=name) | ast.Attribute(attr=name):
            yield node, name
        case ast.alias():
            yield node, (node.asname or node.name).rpartition(".")[2]
        case (
            ast.Compare() | ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AugAssign(target=ast.Name(id="__all__"))
        ):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part, part.value


def _place_for(name: str, added: Collection[str]) -> str:
    """The file of the patch that a name of the tree is in the way of."""
    wanted = name if "." in name else f"{MODULE}.py"
    return next((path for path in added if path.endswith(wanted)), wanted)


def _registers(module: ast.Module) -> None:
    _imports(module)
    chain = anchors.chain(module)
    function = chain.function
    own = [branch for branch in chain.branches if _mentions(branch.test)]
    elsewhere = [
        node for node in ast.walk(function) if isinstance(node, ast.If) and _mentions(node.test) and node not in own
    ]
    nested = [node for node in elsewhere if own and node in own[0].body]
    if len(own) != 1 or elsewhere != nested:
        raise anchors.AnchorError(f"{len(own)} branches of parse_model's chain are for our classes, expected 1")
    known = scopes.bound(function) | scopes.bound(module) | set(dir(builtins))
    parts = [own[0].test, *own[0].body]  # what follows in its `else` is the rest of the chain
    inside = [node for part in parts for node in ast.walk(part)]
    known |= {node.arg for node in inside if isinstance(node, ast.arg)}
    names = [node for node in inside if isinstance(node, ast.Name)]
    unknown = {node.id for node in names} - {node.id for node in names if isinstance(node.ctx, ast.Store)} - known
    if unknown and "*" not in known:  # which names a star brings, only an import could tell
        raise anchors.AnchorError(f"the branch reads {', '.join(sorted(unknown))}, which parse_model does not know")


def _exports(module: ast.Module) -> None:
    _imports(module)
    exported = anchors.exports(module)
    if exported is None:
        return
    names = [entry.value for entry in exported.elts if isinstance(entry, ast.Constant)]
    for name in CLASSES:
        if names.count(name) != 1:
            raise anchors.AnchorError(f"__all__ names {name} {names.count(name)} times, expected once")


def _imports(module: ast.Module) -> None:
    imported = [a.asname or a.name for node in module.body if isinstance(node, ast.ImportFrom) for a in node.names]
    for name in CLASSES:
        if imported.count(name) != 1:
            raise anchors.AnchorError(f"{name} is imported {imported.count(name)} times, expected once")


def _mentions(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in CLASSES for node in ast.walk(test))
