"""Which libraries a package needs to be imported, read from its source, for when importing it stops at the first."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Iterator


def missing_libraries(package: Path, starts: list[str]) -> list[str]:
    """Return the third-party modules that importing parts of a package needs and this interpreter lacks.

    Args:
        package: The package folder; its name does not matter.
        starts: Dotted names inside the package to start from; the package itself is always imported.

    Returns:
        Top-level module names, sorted.
    """
    todo = ["", *starts]
    seen = set()
    outside = set()
    while todo:
        name = todo.pop()
        path = _module_file(package, name)
        if name in seen or path is None:
            continue
        seen.add(name)
        todo.extend(name[:i] for i, letter in enumerate(name) if letter == ".")  # importing a.b imports a
        for target in _imports(path, name, package.name):
            top, _, inside = target.partition(".")
            if top in ("ultralytics", package.name):
                todo.append(inside)
            else:
                outside.add(top)
    return sorted(top for top in outside if not installed(top))


def missing_of(path: Path, package: Path) -> list[str]:
    """Return the third-party modules that importing one file needs and this interpreter lacks.

    Args:
        path: The file, which would be a module of the package.
        package: The package folder.
    """
    tops = {target.partition(".")[0] for target in _imports(path, "nn.modules." + path.stem, package.name)}
    return sorted(top for top in tops - {"ultralytics", package.name, ""} if not installed(top))


def installed(top: str) -> bool:
    """Return whether a top-level module can be found, without importing it."""
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return True  # something odd is there, which is not the same as nothing


def _module_file(package: Path, name: str) -> Path | None:
    """Return the file of a module inside the package, if it is one."""
    base = package.joinpath(*name.split(".")) if name else package
    for path in (base / "__init__.py", base.with_name(base.name + ".py")):
        if path.is_file() and (name or path.name == "__init__.py"):
            return path
    return None


def _imports(path: Path, name: str, package: str) -> Iterator[str]:
    """Yield the dotted names that a module imports while it is itself imported, as absolute names."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # no Python, or nested too deeply
        return
    home = ["ultralytics", *filter(None, name.split("."))]
    if path.name != "__init__.py":
        home.pop()
    for node in _executed(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            yield source
            if source.partition(".")[0] in ("ultralytics", package):  # `from .a import b` may name a module
                for alias in node.names:
                    yield source + "." + alias.name


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import and whose failure would stop it."""
    for node in body:
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test):
                yield from _executed(node.body)
        elif isinstance(node, (ast.With, ast.ClassDef)):
            yield from _executed(node.body)
        elif not isinstance(node, (ast.Try, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
