"""What must hold of a patched tree before a byte of it is written, whichever way the plan came about."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from a2patch.block import Addition
from a2patch.errors import AccessError
from a2patch.patch import anchors, scopes
from a2patch.patch.ours import model_names
from a2patch.tree import Tree, find_files, naming, read_file

Located = ast.expr | ast.stmt | ast.alias


def taken_names(tree: Tree, added: Addition, patched: Collection[str], places: Collection[str]) -> tuple[str, ...]:
    """Find what a tree has of its own by a name that the patch brings: a class, a file or a model YAML.

    Args:
        tree: The tree.
        added: What the patch brings.
        patched: Paths of the files that hold lines of the patch already.
        places: Paths of the files that would get lines of the patch.

    Returns:
        A line for each, which names both places.
    """
    taken = _taken(tree, added, patched)
    return tuple(f"{place}; ours goes to {_place_for(name, added, places)}" for place, name in taken)


def fault(path: str, content: bytes, added: Addition) -> str:
    """Why a patched file would not work; empty if it would.

    It must parse; `nn/tasks.py` must import the classes and register them once, inside the chain; the modules must
    import them, and export them where they export anything.

    Args:
        path: POSIX path relative to the package folder.
        content: The patched bytes.
        added: What the patch brings.
    """
    if not path.endswith(".py"):
        return ""
    try:
        module = anchors.parse(content)
        if path == "nn/tasks.py":
            _registers(module, added)
        elif path in {"nn/modules/__init__.py", "nn/modules.py"}:
            _exports(module, added.classes)
    except anchors.AnchorError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply to be searched"
    return ""


def _taken(tree: Tree, added: Addition, patched: Collection[str]) -> Iterator[tuple[str, str]]:
    later = [model.name for model in added.later if tree.read(model.base) is not None]
    models = model_names((*added.models, *later))
    for place in find_files(tree.package, "*.yaml") if added.models else ():
        relative = place.relative_to(tree.package).as_posix()
        if models.fullmatch(place.name) and relative not in patched:
            yield relative, place.name
    for place in find_files(tree.package / "nn", "*.py"):
        relative = place.relative_to(tree.package).as_posix()
        content = tree.overlay[relative] if relative in tree.overlay else _readable(place)
        if relative in patched or content is None:
            continue
        if place.stem == added.module:
            yield relative, place.name
        lines = content.splitlines()
        for number, name in _uses(content, added.classes):
            yield f"{relative}:{number} {lines[number - 1].strip().decode('utf-8', 'replace')}", name


def _readable(place: Path) -> bytes:
    """The bytes of a file that is not ours to write: a link may lead anywhere, and what can't be read is empty."""
    try:
        return read_file(place) or b""
    except AccessError:
        return b""


def _uses(content: bytes, classes: Sequence[str]) -> list[tuple[int, str]]:
    """Where a file names classes, by line: as names, and in quotes where these are compared or exported.

    A comment, a docstring or any other text names nothing. Of what is no Python, each line counts.
    """
    names = naming(classes)
    if not names.search(content):
        return []
    try:
        module = anchors.parse(content)
    except anchors.AnchorError:
        texts = (line.split(b"#")[0] for line in content.splitlines())
        found = ((number, names.search(text)) for number, text in enumerate(texts, start=1))
        return [(number, name[0].decode()) for number, name in found if name]
    named = {(node.lineno, name) for node in ast.walk(module) for node, name in _named(node) if name in classes}
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


def _place_for(name: str, added: Addition, places: Collection[str]) -> str:
    """The file of the patch that a name of the tree is in the way of."""
    wanted = name if "." in name else f"{added.module}.py"
    return next((path for path in places if path.endswith(wanted)), wanted)


def _registers(module: ast.Module, added: Addition) -> None:
    _imports(module, added.classes)
    chain = anchors.chain(module)
    function = chain.function
    own = [branch for branch in chain.branches if _mentions(branch.test, added.classes)]
    elsewhere = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.If) and _mentions(node.test, added.classes) and node not in own
    ]
    nested = [node for node in elsewhere if any(node in branch.body for branch in own)]
    if len(own) != len(added.branches) or elsewhere != nested:
        raise anchors.AnchorError(
            f"{len(own)} branches of parse_model's chain are for our classes, expected {len(added.branches)}"
        )
    if hidden := sorted(scopes.bound(function) & {*added.classes}):
        raise anchors.AnchorError(f"parse_model has a variable {hidden[0]}, which hides the class")
    known = scopes.bound(function) | scopes.bound(module) | set(dir(builtins))
    parts = [part for branch in own for part in (branch.test, *branch.body)]  # in its `else` is the rest of the chain
    inside = [node for part in parts for node in ast.walk(part)]
    known |= {node.arg for node in inside if isinstance(node, ast.arg)}
    names = [node for node in inside if isinstance(node, ast.Name)]
    unknown = {node.id for node in names} - {node.id for node in names if isinstance(node.ctx, ast.Store)} - known
    if unknown and "*" not in known:  # which names a star brings, only an import could tell
        raise anchors.AnchorError(f"the branch reads {', '.join(sorted(unknown))}, which parse_model does not know")


def _exports(module: ast.Module, classes: Sequence[str]) -> None:
    _imports(module, classes)
    exported = anchors.exports(module)
    if exported is None:
        return
    names = [entry.value for entry in exported.elts if isinstance(entry, ast.Constant)]
    for name in classes:
        if names.count(name) != 1:
            raise anchors.AnchorError(f"__all__ names {name} {names.count(name)} times, expected once")


def _imports(module: ast.Module, classes: Sequence[str]) -> None:
    imported = [a.asname or a.name for node in module.body if isinstance(node, ast.ImportFrom) for a in node.names]
    for name in classes:
        if imported.count(name) != 1:
            raise anchors.AnchorError(f"{name} is imported {imported.count(name)} times, expected once")


def _mentions(test: ast.expr, classes: Sequence[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in classes for node in ast.walk(test))
