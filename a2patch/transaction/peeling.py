"""Take the blocks of a tree off, from the last to the first; in memory, nothing is written.

What is put in first lies below: its lines may be context of what comes later, so that no layer is taken off before
those above it are. What is left without any is a tree that has Double Attention or has it not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from a2patch.block import addition, bundled
from a2patch.errors import ConflictError
from a2patch.patch import (
    AnchorError,
    Change,
    Diff,
    FileDiff,
    Misfit,
    Site,
    block_diff,
    explain,
    fit,
    is_left,
    merge,
    outcome,
    same_edits,
)
from a2patch.transaction.layers import Layer
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree

LayerSite = Literal["applied", "edited", "gone", "conflict"]
LayerState = Literal["applied", "edited", "partial", "stale", "gone", "conflict"]
_ENTRIES = ("nn/modules/__init__.py", "nn/modules.py", "nn/tasks.py")
_BY_HAND = "Nothing was written. Put what is named above back as it was; or take it out by hand."


@dataclass(frozen=True)
class LayerStatus:
    """What the bytes of a tree say of a block.

    Attributes:
        layer: The block, by the receipt.
        sites: The state of each of its sites.
        edits: Where its lines were edited: each such file as it would be without the edits, and as it is.
        reasons: Why what is there can't be told from what is the tree's own, a line each.
    """

    layer: Layer
    sites: Mapping[Site, LayerSite]
    edits: tuple[Change, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def state(self) -> LayerState:
        """The state of the block, from those of its sites."""
        found = set(self.sites.values())
        if "conflict" in found:
            return "conflict"
        if found == {"gone"}:
            return "gone"
        if found <= {"applied", "edited"}:
            return "edited" if "edited" in found else "applied"
        upgraded = all(state == "gone" for site, state in self.sites.items() if site != "module")
        return "stale" if upgraded else "partial"

    @property
    def is_there(self) -> bool:
        """Whether rows can name its classes."""
        return self.state in {"applied", "edited"}


@dataclass(frozen=True)
class Peeled:
    """A tree without its blocks.

    Attributes:
        tree: The tree.
        layers: What was taken off, in the order in which it had been put in.
        written: The bytes of each file that was changed, as they were written below the blocks.
    """

    tree: Tree
    layers: tuple[LayerStatus, ...] = ()
    written: Mapping[str, bytes] = field(default_factory=dict)


def peel(tree: Tree, kept: Receipt | None) -> Peeled:
    """Take all blocks off a tree, as far as they are there.

    Args:
        tree: The tree.
        kept: Its receipt, which says what was put in.
    """
    if kept is None or not kept.blocks:
        return Peeled(tree, (), kept.written if kept else {})
    written = kept.written if kept.release == tree.version else {}
    below, as_written = tree, Tree(tree.package, tree.kind, tree.version, tree.named, dict(written))
    found = []
    for layer in reversed(kept.blocks):
        status, below, as_written = _take_off(layer, below, as_written)
        found.append(status)
    left = {path: content for path in written if (content := as_written.read(path)) is not None}
    return Peeled(below, tuple(reversed(found)), left)


def is_known(tree: Tree, layer: Layer) -> bool:
    """Return whether a block of a receipt may be put into a tree: a receipt that somebody planted may hold any code.

    It may if it comes with a2patch, if its module file lies in the tree already, or if upstream ships its classes.
    """
    ours = bundled().get(layer.block.name)
    files = [file.path for diff in layer.diffs if diff.site == "module" for file in diff.files]
    return (ours is not None and ours.source == layer.block.source) or all(tree.read(path) for path in files)


def refuse_stuck(tree: Tree, layers: Sequence[LayerStatus]) -> None:
    """Refuse to go on where lines of a block can't be told from the tree's own.

    Raises:
        ConflictError: There are such lines.
    """
    stuck = [status for status in layers if status.state == "conflict"]
    if stuck:
        raise ConflictError(
            f"lines of {', '.join(status.layer.block.name for status in stuck)} are not as a2patch put them in",
            path=tree.package,
            found="\n".join(reason for status in stuck for reason in status.reasons),
            remedy=_BY_HAND,
        )


def _take_off(layer: Layer, tree: Tree, written: Tree) -> tuple[LayerStatus, Tree, Tree]:
    """Take one block off a tree, and off the bytes that were written to it."""
    sites: dict[Site, LayerSite] = {}
    edits: list[Change] = []
    reasons: list[str] = []
    for diff in reversed(layer.diffs):
        file = diff.files[0]
        content, base = tree.read(file.path), written.overlay.get(file.path)
        clean = _without(layer, diff, tree)
        base_clean = _without(layer, diff, written) if base is not None else None
        bare_base = outcome(base_clean.files[0], base) if isinstance(base_clean, Diff) else None
        sites[diff.site] = "applied"
        if isinstance(clean, str):
            if content is None or not is_left(file, content, layer.block.names()):
                sites[diff.site] = "gone"
            elif file.creates and _is_added(layer, file, tree):
                sites[diff.site] = "edited"
                edits.append(Change(file.path, file.content, content))
                tree = laid(tree, file.path, None)
            elif base is not None and bare_base is not None and not file.creates:
                merged = merge(base, content, bare_base)
                again = fit(diff, {file.path: merged}.get)
                sites[diff.site] = "edited"
                unedited = outcome(again.files[0], merged) if isinstance(again, Diff) else merged
                edits.append(Change(file.path, unedited, content))
                tree = laid(tree, file.path, merged)
            else:
                sites[diff.site] = "conflict"
                reasons.append(clean)
        else:
            tree = laid(tree, file.path, outcome(clean.files[0], content))
        if bare_base is not None:
            written = laid(written, file.path, bare_base)
    ordered: dict[Site, LayerSite] = {diff.site: sites[diff.site] for diff in layer.diffs}
    return LayerStatus(layer, ordered, tuple(edits), tuple(reasons)), tree, written


def _without(layer: Layer, diff: Diff, tree: Tree) -> Diff | str:
    """Return the diff that takes a site of a block out of a tree, or why there is none.

    A receipt may be planted: only what a2patch would put into the rest of the file is taken out of it.
    """
    back = fit(diff.reversed(), tree.read)
    if isinstance(back, Misfit):
        return "\n".join(explain(diff.site, back))
    file = back.files[0]
    bare = laid(tree, file.path, outcome(file, tree.read(file.path)))
    if diff.site == "module":
        return back if _is_added(layer, file, tree) else f"{file.path} is imported by more than what a2patch put in"
    added = layer.added if diff.site == "tasks" else addition(layer.own, last=layer.added.last)
    try:
        again = block_diff(diff.site, bare.read, added, layer.block.source, tree.version)
    except (AnchorError, RecursionError) as error:
        return f"{file.path}: without these lines, they would have no place: {error}"
    return back if same_edits(again, diff) else f"{file.path} has other lines than those that a2patch puts in"


def _is_added(layer: Layer, file: FileDiff, tree: Tree) -> bool:
    """Return whether a module file is the block's: once the block's lines are out, no file of upstream imports it."""
    # Of a file nn/modules/torch.py, `import torch` and `import torch.nn` are no imports.
    folders = rb"\.+(?:nn\.)?(?:modules\.)?|(?!torch\.)(?:\w+\.)+(?<=\bnn\.)(?:modules\.)?"
    imports = re.compile(rb"(?m)^\s*(?:from|import)\s+(?:%s)%s\b" % (folders, layer.block.name.encode()))
    return not any(imports.search(tree.read(path) or b"") for path in _ENTRIES)


def laid(tree: Tree, path: str, content: bytes | None) -> Tree:
    """Return a tree with other bytes in place of a file."""
    return replace(tree, overlay={**tree.overlay, path: content})
