"""Work out what `apply` and `diff` do to a tree; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from a2patch.block import Block
from a2patch.patch import Change
from a2patch.transaction import own_patch, peeling
from a2patch.transaction.composition import Operation, composed
from a2patch.transaction.survey import Survey, refuse_unmerged, survey, untouched
from a2patch.tree import Tree, repository


def preview(tree: Tree, added: Sequence[Block] = (), *, derivable: bool = True) -> Operation:
    """Work out what `apply` would do, and write nothing.

    Args:
        tree: The tree.
        added: Blocks that are put in as well.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree, derivable=derivable)
    if seen.status.complete and seen.receipt is None and not added:  # by hand, and complete
        return Operation(seen)
    refuse_unmerged(seen)
    planned = application(seen, added, derivable=derivable)
    return replace(planned, notes=(*_uncommitted_notes(seen, planned.changes), *planned.notes))


def preview_blocks(tree: Tree, added: Sequence[Block]) -> Operation:
    """Work out what putting blocks in, and nothing else, would do, and write nothing.

    Args:
        tree: The tree.
        added: The blocks, every rule of which is known.

    Raises:
        ConflictError: One has no place in the tree, or a name of it is taken.
    """
    seen = survey(tree)
    refuse_unmerged(seen)
    planned = composed(seen, own_patch.left(seen.below), with_blocks(seen, added))
    return replace(planned, notes=(*_uncommitted_notes(seen, planned.changes), *planned.notes))


def application(seen: Survey, added: Sequence[Block] = (), *, derivable: bool = True) -> Operation:
    """Work out what putting the whole patch in changes; git is not asked. The blocks of the tree are put in again.

    Args:
        seen: The tree, and what is known of it.
        added: Blocks that are put in as well.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    return composed(seen, own_patch.put_in(seen.below, derivable=derivable), with_blocks(seen, added))


def again(seen: Survey) -> Operation:
    """Work out what putting in again what a tree has of ours would change."""
    if seen.status.is_patched:
        return application(seen)
    return composed(seen, own_patch.left(seen.below), with_blocks(seen, ()))


def with_blocks(seen: Survey, added: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks that a tree has, as far as they may be put in again, and others."""
    kept = {one.layer.block.name: one.layer.block for one in seen.layers if peeling.is_known(seen.tree, one.layer)}
    return tuple({**kept, **{block.name: block for block in added}}.values())


def difference(tree: Tree) -> Operation:
    """Work out what the patch changed in a tree that has it, or would change in one that has not.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree)
    before = untouched(seen)
    if before is None:
        return preview(tree)
    changes = tuple(Change(path, content, tree.read(path)) for path, content in before.items())
    diffs = tuple(site.back.reversed() for site in seen.status.sites if site.back)
    return Operation(seen, changes, diffs, layers=tuple(one.layer for one in seen.layers))


def _uncommitted_notes(seen: Survey, changes: Sequence[Change]) -> list[str]:
    """Name the files with uncommitted edits of the user among those that change."""
    if seen.is_patched:
        return []
    paths = repository.uncommitted(seen.tree, [change.path for change in changes if change.before is not None])
    if paths is None:
        return ["there is no git to tell whether these files have edits that are not committed: if so, they are kept"]
    return [f"{path} has edits that are not committed: they are kept" for path in paths]
