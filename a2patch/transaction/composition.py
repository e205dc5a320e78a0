"""Put together what a command does to a tree: the patch as it becomes, and the blocks upon it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from a2patch.block import Block
from a2patch.patch import Change, Diff, differing, unified
from a2patch.transaction import blocks, peeling, receipt, user_edits
from a2patch.transaction.layers import Layer
from a2patch.transaction.own_patch import Made
from a2patch.transaction.survey import Survey
from a2patch.tree import Tree, naming

_LOST = "the receipt was lost; the blocks were known by their bytes, and there is a new one"


@dataclass(frozen=True)
class Operation:
    """What a command does to a tree: planned, or done.

    Attributes:
        survey: The tree as it was found.
        changes: The files that change, metadata aside; empty where there is nothing to do.
        diffs: The diffs that are applied or taken back.
        notes: What else the user should know, a line each.
        metadata: What changes along: the installer's `RECORD`, and the receipt, which is last.
        layers: The blocks that are put in, or taken out, upon the patch.
        edits: The user's edits that go with what is taken out, as a patch; empty where there are none.
    """

    survey: Survey
    changes: tuple[Change, ...] = ()
    diffs: tuple[Diff, ...] = ()
    notes: tuple[str, ...] = ()
    metadata: tuple[Change, ...] = ()
    layers: tuple[Layer, ...] = ()
    edits: bytes = b""

    @property
    def writes(self) -> tuple[Change, ...]:
        """Every file that changes, the receipt last."""
        return (*self.changes, *self.metadata)

    def names(self) -> dict[str, str]:
        """Return what changes each file, by its path: a diff, or a block where no diff of the patch does."""
        of_blocks: dict[str, dict[str, None]] = {}
        for layer in self.layers:
            for path in layer.paths:
                of_blocks.setdefault(path, {})[layer.block.name] = None  # once, also where it goes out and in
        named = {path: ", ".join(blocks) for path, blocks in of_blocks.items()}
        return named | {file.path: diff.name for diff in self.diffs for file in diff.files}


def composed(seen: Survey, made: Made, wanted: Sequence[Block], *, force: bool = False) -> Operation:
    """Work out what it changes to have blocks in a tree, upon the patch as it becomes; git is not asked.

    Args:
        seen: The tree, and what is known of it.
        made: What becomes of the patch.
        wanted: The blocks, in order; those that the tree has besides are taken out.
        force: Whether a block is taken out also where the user edited it.

    Raises:
        ConflictError: A block has no place, a name of it is taken, or lines of one have been edited.
    """
    tree = seen.tree
    peeling.refuse_stuck(tree, seen.layers)
    kept, edits = _edited(seen, wanted)
    if edits and not force:
        raise user_edits.refusal(tree, edits)
    below = replace(seen.below.tree, overlay={**seen.below.tree.overlay, **made.files})
    above, layers = blocks.put_in(below, wanted)
    old = [one.layer for one in seen.layers]
    paths = dict.fromkeys((*made.files, *(path for layer in (*old, *layers) for path in layer.paths)))
    files = {path: kept.get(path, above.read(path)) for path in paths}
    changes = differing(tree.read, files)
    lost = seen.receipt is None and bool(seen.layers)
    if not (changes or lost):
        return Operation(seen)
    written = _written(below, made, wanted)
    concerned = _concerned(old, layers)
    return Operation(
        seen,
        ordered(changes),
        made.shown,
        (*made.notes, *_block_notes(seen, layers, concerned), *([_LOST] if lost else [])),
        receipt.note_applied(tree, seen.last_receipt, made.diffs, {**written, **files, **written}, layers),
        concerned,
        unified(edits, tree.package.name) if edits else b"",
    )


def _concerned(old: Sequence[Layer], new: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the blocks that go in, or out: not those that are only put in again."""
    before, after = ([layer.block for layer in some] for some in (old, new))
    return tuple(
        [layer for layer in old if layer.block not in after] + [layer for layer in new if layer.block not in before]
    )


def _edited(seen: Survey, wanted: Sequence[Block]) -> tuple[dict[str, bytes], list[Change]]:
    """Return module files that their user edited and that stay so, and the edits that would be lost."""
    sources = {block.name: block.source for block in wanted}
    kept: dict[str, bytes] = {}
    lost = []
    for one in seen.layers:
        modules = {file.path for diff in one.layer.diffs if diff.site == "module" for file in diff.files}
        for change in one.edits:
            wanted_source = sources.get(one.layer.block.name)
            if change.path in modules and wanted_source == one.layer.block.source and change.after is not None:
                kept[change.path] = change.after
            elif change.path not in modules or wanted_source != change.after:
                lost.append(change)
    return kept, lost


def _written(below: Tree, made: Made, wanted: Sequence[Block]) -> dict[str, bytes | None]:
    """Return files whose lines of the patch were edited, as they would be without the edits and with the blocks."""
    if not made.written or not wanted:
        return dict(made.written)
    unedited, _ = blocks.put_in(replace(below, overlay={**below.overlay, **made.written}), wanted)
    return {path: unedited.read(path) for path in made.written}


def _block_notes(seen: Survey, layers: Sequence[Layer], concerned: Sequence[Layer]) -> list[str]:
    """Say which classes were upstream's, which blocks could not be put in again, and which models name what is gone."""
    notes = []
    for layer in layers:
        own = layer.own.names() if layer in concerned else layer.block.names()
        if shipped := [name for name in layer.block.names() if name not in own]:
            notes.append(
                f"{', '.join(shipped)}: upstream ships it, but no row could name it; it is registered as it is, and "
                f"that of {layer.block.name}.py is not put in"
            )
    names = {layer.block.name for layer in layers}
    gone = [one for one in seen.layers if one.layer.block.name not in names]
    for one in gone:
        if not peeling.is_known(seen.tree, one.layer):
            notes.append(f"{one.layer.block.name} was gone from the tree; `a2patch apply FILE` puts it in again")
    models = seen.receipt.models if seen.receipt else {}
    classes = {name for one in gone for name in one.layer.block.names()}
    for path, content in models.items():
        if classes and naming(classes).search(content):
            notes.append(f"{path} has rows of what was taken out, and builds no more")
    return notes


def ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Order changes so that a program which imports the package meanwhile finds every name that it asks for."""
    rank = {(True, False): 0, (False, False): 1, (False, True): 2}
    return tuple(sorted(changes, key=lambda change: rank[change.before is None, change.after is None]))
