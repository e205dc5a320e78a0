"""What a diff of ours may do to a tree: by this a diff of a receipt is told from one that somebody else put there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from a2patch.block import CLASSES, MODELS, MODULE
from a2patch.patch import anchors
from a2patch.patch.derive import CFG_FOLDERS
from a2patch.patch.diff import SITES, Diff, FileDiff, Site
from a2patch.patch.fit import outcome
from a2patch.tree import Reader

# At any scale: the first releases have a file for each, and others take `yolov8s_A2.yaml` for `yolov8_A2.yaml`.
YAMLS = re.compile("|".join(re.escape(name).replace("yolov8", "yolov8[nsmlx]?") for name in MODELS))

_CHANGED: Mapping[Site, tuple[str, ...]] = {
    "init": ("nn/modules/__init__.py", "nn/modules.py"),
    "tasks": ("nn/tasks.py",),
}
_MODULES = (f"nn/modules/{MODULE}.py", f"nn/{MODULE}.py")
_NAMED = re.compile("|".join(CLASSES).encode())
_BACKBONE = re.compile(rb"\bbackbone[\"']?\s*:")


def may_touch(site: Site, file: FileDiff) -> bool:
    """Return whether a diff of a site may do this to a file: change what registers our classes, add what is ours.

    Args:
        site: The site.
        file: What the diff does to one file, as it puts the patch in.
    """
    if site in _CHANGED:
        return file.path in _CHANGED[site] and not (file.creates or file.deletes)
    return file.creates and not file.deletes and _is_added(site, file.path) and bool(_NAMED.search(file.content))


def is_path(path: str) -> bool:
    """Return whether a path is that of a file which the patch of some release adds or changes."""
    return any(path in _CHANGED.get(site, ()) or _is_added(site, path) for site in SITES)


def _is_added(site: Site, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if site == "module":
        return path in _MODULES
    return site == "cfg" and folder in CFG_FOLDERS and YAMLS.fullmatch(name) is not None


def is_model(path: str, content: bytes) -> bool:
    """Return whether a file may be one that `a2patch insert` made: a model with our layers, or one that is named so.

    Args:
        path: POSIX path relative to the package folder.
        content: Its bytes.
    """
    stem = path.rpartition("/")[2].removesuffix(".yaml")
    named = "_A2" in stem or (stem.endswith("-removed") and _BACKBONE.search(content))
    return path.endswith(".yaml") and bool(named or _NAMED.search(content))


def takes_only_ours(back: Diff, shipped: Iterable[Diff], read: Reader) -> bool:
    """Return whether a diff of a receipt takes nothing out of a tree but what is ours, and puts nothing else in.

    Args:
        back: The diff that takes the patch out, fitted to the tree.
        shipped: The diffs of its site that a2patch brings.
        read: Gives the bytes of a file of the tree.
    """
    known = {_edits(file) for diff in shipped for file in diff.files}
    changed = [file for file in back.files if not file.deletes and _edits(file.reversed()) not in known]
    return all(_is_only_ours(read(file.path), outcome(file, read(file.path))) for file in changed)


def _edits(file: FileDiff) -> tuple[str, tuple[tuple[bytes, bytes], ...]]:
    """Return what a diff puts in and takes out, without context and line endings."""
    lines = ((sign, line.rstrip(b"\r\n")) for hunk in file.hunks for sign, line in hunk.lines if sign != b" ")
    return file.path, tuple(lines)


def _is_only_ours(patched: bytes | None, bare: bytes | None) -> bool:
    """Return whether a patched file means the same as the bare one, once our classes are left out of its syntax."""
    try:
        with_ours, without = (anchors.parse(content or b"") for content in (patched, bare))
    except anchors.AnchorError:
        return False
    return ast.dump(_WithoutOurs().visit(with_ours)) == ast.dump(without)


class _WithoutOurs(ast.NodeTransformer):
    """Leaves our classes out: what imports and exports them, and the branch for them."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        """Leave our classes out of an import, and an import of nothing else out."""
        node.names = [alias for alias in node.names if alias.name not in CLASSES]
        return node if node.names else None

    def visit_Tuple(self, node: ast.Tuple) -> ast.Tuple:
        """Leave the names of our classes out of an `__all__`."""
        node.elts = _without_names(node.elts)
        return node

    def visit_List(self, node: ast.List) -> ast.List:
        """Leave the names of our classes out of an `__all__`."""
        node.elts = _without_names(node.elts)
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Put what follows our branch in its place."""
        self.generic_visit(node)
        if any(isinstance(part, ast.Name) and part.id in CLASSES for part in ast.walk(node.test)):
            return node.orelse
        return node


def _without_names(entries: Sequence[ast.expr]) -> list[ast.expr]:
    return [entry for entry in entries if not (isinstance(entry, ast.Constant) and entry.value in CLASSES)]
