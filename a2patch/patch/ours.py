"""What a diff of ours may do to a tree: by this a diff of a receipt is told from one that somebody else put there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from a2patch.block import ADDITION, Addition, encoding
from a2patch.patch import anchors
from a2patch.patch.derive import CFG_FOLDERS
from a2patch.patch.diff import SITES, Diff, FileDiff, Site
from a2patch.patch.fit import outcome
from a2patch.tree import Reader, naming

_CHANGED: Mapping[Site, tuple[str, ...]] = {
    "init": ("nn/modules/__init__.py", "nn/modules.py"),
    "tasks": ("nn/tasks.py",),
}
MODEL_TAG = "A2"
"""What the names of models with our layers have behind that of their base."""

_BACKBONE = re.compile(rb"\bbackbone[\"']?\s*:")


def model_names(names: Iterable[str]) -> re.Pattern[str]:
    """Return what the names of model files that come along match.

    At any scale: the first releases have a file for each, and others take `yolov8s_x.yaml` for `yolov8_x.yaml`.
    """
    return re.compile("|".join(re.sub(r"^(yolov?\d+)", r"\1[nsmlx]?", re.escape(name)) for name in names))


def may_touch(site: Site, file: FileDiff, added: Addition) -> bool:
    """Return whether a diff of a site may do this to a file: change what registers our classes, add what is ours.

    Args:
        site: The site.
        file: What the diff does to one file, as it puts the patch in.
        added: What the patch brings.
    """
    if site in _CHANGED:
        return file.path in _CHANGED[site] and not (file.creates or file.deletes)
    text = file.content.decode(encoding(file.content), "replace")
    named = any(name.split(" as ")[0] in text for name in added.imports)
    return file.creates and not file.deletes and is_added(site, file.path, added) and named


def is_path(path: str, added: Addition = ADDITION) -> bool:
    """Return whether a path is that of a file which the patch of some release adds or changes."""
    return any(path in _CHANGED.get(site, ()) or is_added(site, path, added) for site in SITES)


def is_added(site: Site, path: str, added: Addition) -> bool:
    """Return whether a path is that of a file which the patch adds."""
    folder, _, name = path.rpartition("/")
    if site == "module":
        return path in (f"nn/modules/{added.module}.py", f"nn/{added.module}.py")
    if site != "cfg":
        return False
    named = folder in CFG_FOLDERS and model_names(added.models).fullmatch(name) is not None
    return named or path in {model.path for model in added.later}


def is_model(path: str, content: bytes, classes: Iterable[str] = ()) -> bool:
    """Return whether a file may be one that `a2patch insert` made: a model with our layers, or one that is named so.

    Args:
        path: POSIX path relative to the package folder.
        content: Its bytes.
        classes: The classes of other blocks in the tree. A receipt may name any, so the file's name must have one.
    """
    stem = path.rpartition("/")[2].removesuffix(".yaml")
    named = any(f"_{tag}" in stem for tag in (MODEL_TAG, *classes))
    named = named or bool(stem.endswith("-removed") and _BACKBONE.search(content))
    return path.endswith(".yaml") and (named or any(name.encode() in content for name in ADDITION.classes))


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


def is_left(file: FileDiff, content: bytes, classes: Iterable[str]) -> bool:
    """Return whether a line that only a diff added still stands in a file; else somebody has put the file back.

    Args:
        file: What the diff did to the file.
        content: The bytes that the file has now.
        classes: What such a line names.
    """
    if file.creates:
        return True
    names = naming(classes)
    added = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign == b"+"}
    known = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign != b"+"}
    return any(names.search(line) for line in (added - known) & {line.strip() for line in content.split(b"\n")})


def same_edits(one: Diff, other: Diff) -> bool:
    """Return whether two diffs put in and take out the same lines of the same files, wherever these stand."""
    return [_edits(file) for file in one.files] == [_edits(file) for file in other.files]


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
        node.names = [alias for alias in node.names if alias.name not in ADDITION.classes]
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
        if any(isinstance(part, ast.Name) and part.id in ADDITION.classes for part in ast.walk(node.test)):
            return node.orelse
        return node


def _without_names(entries: Sequence[ast.expr]) -> list[ast.expr]:
    return [entry for entry in entries if not (isinstance(entry, ast.Constant) and entry.value in ADDITION.classes)]
