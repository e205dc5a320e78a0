"""Work out what `revert` does to a tree; nothing is written."""

from __future__ import annotations

from collections.abc import Collection

from a2patch.block import CLASSES, MODULE
from a2patch.errors import NotPatchedError
from a2patch.patch import Change, conflict, differing, plan_diffs, unified
from a2patch.transaction import own_patch, peeling, receipt, user_edits
from a2patch.transaction.application import with_blocks
from a2patch.transaction.composition import Operation, composed, ordered
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.survey import Survey, refuse_unmerged, survey
from a2patch.tree import Tree


def preview(tree: Tree, names: Collection[str] = (), *, force: bool = False) -> Operation:
    """Work out what `revert` would do, and write nothing.

    Args:
        tree: The tree.
        names: The blocks to take out, or classes of them; none for all that is ours.
        force: Whether lines and files of the patch are taken out also where the user edited them.

    Raises:
        ConflictError: Our own lines or files have been edited.
        NotPatchedError: The tree has no block of such a name.
    """
    seen = survey(tree)
    if not names and not seen.is_patched and seen.receipt is None:
        return Operation(seen)
    refuse_unmerged(seen)
    if not names:
        return reversal(seen, force=force)
    meant = {_meant(seen, name) for name in names}
    rest = [block for block in with_blocks(seen, ()) if block.name not in meant]
    patched = seen.status.is_patched
    if not rest and (MODULE in meant or not patched):
        return reversal(seen, force=force)
    made = own_patch.out(seen.below) if MODULE in meant else own_patch.left(seen.below)
    return composed(seen, made, rest, force=force)


def reversal(seen: Survey, *, force: bool) -> Operation:
    """Work out what taking the patch out changes, and all blocks upon it; git is not asked.

    Args:
        seen: The tree, and what is known of it.
        force: Whether lines and files of the patch are taken out also where the user edited them.

    Raises:
        ConflictError: Our own lines or files have been edited.
    """
    tree, below = seen.tree, seen.below
    peeling.refuse_stuck(tree, seen.layers)
    backs = [site.back for site in seen.status.sites if site.back]
    conflicts = [site for site in seen.status.sites if site.state == "conflict"]
    if stuck := [site for site in conflicts if user_edits.holds_ours(below.tree, site, below.receipt)]:
        raise conflict(tree, stuck)
    models = _installed_models(seen)
    edits = [*(change for change in models if change.before != change.after), *seen.status.edits]
    edits += [change for one in seen.layers for change in one.edits]
    if edits and not force:
        raise user_edits.refusal(tree, edits)
    planned = plan_diffs(below.tree.read, backs)
    bare = {change.path: change.after for change in planned.changes} | {change.path: None for change in models}
    others = dict.fromkeys(path for one in seen.layers for path in one.layer.paths if path not in bare)
    bare |= {path: below.tree.read(path) for path in others}
    changes = ordered(differing(tree.read, bare)[::-1])
    notes = []
    if not changes:
        notes.append(f"nothing of the patch was left in the tree: its receipt was removed, {tree.path(RECEIPT)}")
    return Operation(
        seen,
        changes,
        tuple(diff.reversed() for diff in planned.diffs),
        tuple(notes),
        receipt.note_reverted(tree, seen.receipt, changes),
        tuple(one.layer for one in seen.layers),
        unified(edits, tree.package.name) if edits else b"",
    )


def _meant(seen: Survey, name: str) -> str:
    """Return the name of the block that is meant by its name, by that of its file, or by a class of it.

    Raises:
        NotPatchedError: The tree has none.
    """
    named = {one.layer.block.name: (one.layer.block.name, *one.layer.block.names()) for one in seen.layers}
    if seen.status.is_patched:
        named[MODULE] = (MODULE, *CLASSES)
    wanted = name.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
    for block, names in named.items():
        if wanted in names:
            return block
    raise NotPatchedError(
        f"the tree has no block {name}",
        path=seen.tree.package,
        found=f"it has {', '.join(named)}" if named else "it has none",
        remedy="`a2patch blocks` tells which blocks a tree has.",
    )


def _installed_models(seen: Survey) -> list[Change]:
    """The model files that were installed with the patch and are still there, as they were written and as they are."""
    installed = seen.receipt.models if seen.receipt else {}
    found = ((path, written, seen.tree.read(path)) for path, written in installed.items())
    return [Change(path, written, content) for path, written, content in found if content is not None]
