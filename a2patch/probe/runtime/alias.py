"""A package that goes by another name, and imports itself by that: made known as `ultralytics` as well."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Optional, Sequence

PACKAGE = "ultralytics"


def imports_itself(package: Path) -> bool:
    """Return whether a package imports its own parts by its own name, so that it must be found by that."""
    for part in ("__init__.py", "nn/tasks.py", "nn/modules/__init__.py", "nn/modules/block.py"):
        try:
            nodes = list(ast.walk(ast.parse(package.joinpath(part).read_bytes())))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        if any(name.partition(".")[0] == package.name for name in names):
            return True
    return False


def install(name: str) -> None:
    """Let `import ultralytics.x` give the very module that `import NAME.x` gives: two copies would be two packages.

    Args:
        name: The name of the package.
    """
    sys.meta_path.insert(0, _Alias(name))


class _Alias(MetaPathFinder, Loader):
    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: Optional[ModuleSpec] = None

    def find_spec(self, fullname: str, path: Optional[Sequence[str]], target: Any = None) -> Optional[ModuleSpec]:
        top, _, rest = fullname.partition(".")
        own = ".".join(filter(None, [self._name, rest]))
        if top != PACKAGE or find_spec(own) is None:
            return None
        return ModuleSpec(fullname, _Alias(self._name), origin=own)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(str(spec.origin))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module back what the import of its other name has changed; it is loaded already."""
        module.__spec__ = self._spec
