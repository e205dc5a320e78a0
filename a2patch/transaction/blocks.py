"""Blocks in a tree: taken off from the last to the first, and put in one upon the other; in memory, nothing is written.

What is put in first lies below: its lines may be context of what comes later, so that no layer is taken off before
those above it are. What is left without any is a tree that has Double Attention or has it not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from a2patch.block import Addition, Block, BlockClass, addition, bundled, class_named, imports_siblings
from a2patch.errors import A2PatchError, ConflictError
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
    merge,
    names_bound,
    outcome,
    plan_diffs,
    same_edits,
    taken_names,
    why_broken,
)
from a2patch.transaction.layers import Layer
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree, find_files

LayerSite = Literal["applied", "edited", "gone", "conflict"]
LayerState = Literal["applied", "edited", "partial", "stale", "gone", "conflict"]
_ENTRIES = ("nn/modules/__init__.py", "nn/modules.py", "nn/tasks.py")
_SHOWN = 8  # of the places of a name; a class such as Conv has a hundred
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


def put_in(tree: Tree, wanted: Sequence[Block]) -> tuple[Tree, tuple[Layer, ...]]:
    """Put blocks into a tree that has none, one upon the other.

    Args:
        tree: The tree.
        wanted: The blocks, every rule of which is known.

    Returns:
        The tree with them, and what was done for each.

    Raises:
        ConflictError: One has no place, or a name of it is taken.
    """
    layers = []
    for block in wanted:
        tree, layer = _put_one(tree, block)
        layers.append(layer)
    return tree, tuple(layers)


def is_known(tree: Tree, layer: Layer) -> bool:
    """Return whether a block of a receipt may be put into a tree: a receipt that somebody planted may hold any code.

    It may if it comes with a2patch, if its module file lies in the tree already, or if upstream ships its classes.
    """
    ours = bundled().get(layer.block.name)
    files = [file.path for diff in layer.diffs if diff.site == "module" for file in diff.files]
    return (ours is not None and ours.source == layer.block.source) or all(tree.read(path) for path in files)


def ships(tree: Tree, name: str) -> bool:
    """Return whether a tree has a class among its modules that no row can name, since `nn/tasks.py` lacks it."""
    modules = tree.read("nn/modules/__init__.py") or tree.read("nn/modules.py") or b""
    tasks = tree.read("nn/tasks.py") or b""
    return name in names_bound(modules) and not re.search(rb"\b%s\b" % name.encode(), tasks)


def shipped(tree: Tree, name: str) -> BlockClass | None:
    """Return a class that a tree has and no row can name, with what the names of its parameters tell; else None."""
    if not ships(tree, name):
        return None
    places = [
        "nn/modules.py",
        *(f"nn/modules/{place.name}" for place in find_files(tree.package / "nn/modules", "*.py")),
    ]
    sources = (tree.read(path) or b"" for path in places)
    found = (class_named(Block("", source, ()), name) for source in sources if b"class " + name.encode() in source)
    return next((each for each in found if each), None)


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
            if content is None or not _is_left(layer, file, content):
                sites[diff.site] = "gone"
            elif file.creates and _is_added(layer, file, tree):
                sites[diff.site] = "edited"
                edits.append(Change(file.path, file.content, content))
                tree = _laid(tree, file.path, None)
            elif base is not None and bare_base is not None and not file.creates:
                merged = merge(base, content, bare_base)
                again = fit(diff, {file.path: merged}.get)
                sites[diff.site] = "edited"
                unedited = outcome(again.files[0], merged) if isinstance(again, Diff) else merged
                edits.append(Change(file.path, unedited, content))
                tree = _laid(tree, file.path, merged)
            else:
                sites[diff.site] = "conflict"
                reasons.append(clean)
        else:
            tree = _laid(tree, file.path, outcome(clean.files[0], content))
        if bare_base is not None:
            written = _laid(written, file.path, bare_base)
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
    bare = _laid(tree, file.path, outcome(file, tree.read(file.path)))
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
    imports = re.compile(rb"(?m)^\s*(?:from|import)\s+[\w.]*\b%s\b" % layer.block.name.encode())
    return not any(imports.search(tree.read(path) or b"") for path in _ENTRIES)


def _is_left(layer: Layer, file: FileDiff, content: bytes) -> bool:
    """Return whether a line that only the block added still stands in a file."""
    if file.creates:
        return True
    names = re.compile(rb"\b(?:%s)\b" % b"|".join(name.encode() for name in layer.block.names()))
    added = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign == b"+"}
    return any(names.search(line) for line in added & {line.strip() for line in content.split(b"\n")})


def _put_one(tree: Tree, block: Block) -> tuple[Tree, Layer]:
    """Put one block into a tree, upon what is there."""
    own = tuple(each for each in block.classes if each.defined or not ships(tree, each.name))
    last = imports_siblings(block.source)
    added, mine = addition(block, last=last), addition(replace(block, classes=own), last=last)
    if own and (taken := taken_names(tree, mine, (), [f"nn/modules/{block.name}.py"])):
        raise ConflictError(
            f"the tree already uses a name that {block.name} brings",
            path=tree.package,
            found=_told(taken),
            remedy="Nothing was written. Import a class under another name with --as NEW=OLD, rename the file where "
            "its name is taken, or take these out by hand.",
        )
    sites: tuple[Site, ...] = ("module", "init", "tasks") if own else ("tasks",)
    diffs = []
    for site in sites:
        diff = _made(tree, block, site, added if site == "tasks" else mine)
        change = plan_diffs(tree.read, [diff]).changes[0]
        if fault := why_broken(change.path, change.after or b"", added if site == "tasks" else mine):
            raise _unfit(tree, block, f"{change.path}: the patched file would not work: {fault}")
        tree = _laid(tree, change.path, change.after)
        diffs.append(diff)
    return tree, Layer(block, tuple(diffs))


def _told(taken: Sequence[str]) -> str:
    """Return the places of names that are taken: where classes are defined first, and not all of many."""
    ordered = sorted(taken, key=lambda line: not re.search(r":\d+ class ", line))
    more = len(ordered) - _SHOWN
    return "\n".join((*ordered[:_SHOWN], *([f"and {more} more places"] if more > 0 else [])))


def _made(tree: Tree, block: Block, site: Site, added: Addition) -> Diff:
    try:
        diff = block_diff(site, tree.read, added, block.source, tree.version)
    except (AnchorError, RecursionError) as error:
        raise _unfit(tree, block, f"{site}: {error}") from error
    fitted = diff if site == "module" else fit(diff, tree.read)  # a module file keeps its bytes
    if isinstance(fitted, Misfit):
        raise _unfit(tree, block, "\n".join(explain(site, fitted)))
    return fitted


def _unfit(tree: Tree, block: Block, why: str) -> A2PatchError:
    return ConflictError(
        f"this tree has no place for {block.name}",
        path=tree.package,
        found=why,
        remedy="Nothing was written. Undo the edits named above and try again, or paste what is missing by hand.",
    )


def _laid(tree: Tree, path: str, content: bytes | None) -> Tree:
    return replace(tree, overlay={**tree.overlay, path: content})
