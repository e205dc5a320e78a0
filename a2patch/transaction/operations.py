"""The commands on a tree, without their printing: patch it, take the patch out, note a verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from a2patch import __version__
from a2patch.block import CLASSES, MODULE, Block
from a2patch.errors import ConflictError, NotPatchedError
from a2patch.patch import Change, plan, series, unified
from a2patch.transaction import commit, own_patch, peeling, receipt, user_edits
from a2patch.transaction.commit import Notify
from a2patch.transaction.composition import Operation, composed, ordered
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.survey import Survey, survey, untouched
from a2patch.tree import Tree, repository

__all__ = [
    "Operation",
    "application",
    "apply",
    "apply_blocks",
    "difference",
    "fault_of",
    "mark_verified",
    "preview",
    "preview_blocks",
    "reversal",
    "revert",
    "survey",
    "undo",
    "untouched",
    "with_blocks",
]

_VERIFIER = f"a2patch {__version__}"


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
    _check_merges(seen)
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
    _check_merges(seen)
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


def apply(tree: Tree, notify: Notify, added: Sequence[Block] = (), *, derivable: bool = True) -> Operation:
    """Patch a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        added: Blocks that are put in as well.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
        AccessError: It can't be written to.
    """
    return commit.transact(tree, "apply", notify, partial(preview, tree, added, derivable=derivable))


def apply_blocks(tree: Tree, notify: Notify, added: Sequence[Block]) -> Operation:
    """Put blocks into a tree, and leave the patch of Double Attention as it is, whether it is there or not.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        added: The blocks, every rule of which is known.

    Raises:
        ConflictError: One has no place in the tree, or a name of it is taken.
        AccessError: The tree can't be written to.
    """
    return commit.transact(tree, "apply", notify, partial(preview_blocks, tree, added))


def revert(
    tree: Tree, notify: Notify, names: Collection[str] = (), *, force: bool = False, folder: Path | None = None
) -> Operation:
    """Take the patch out of a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        names: The blocks to take out, or classes of them; none for all that is ours.
        force: Whether lines and files of the patch are taken out also where the user edited them; the edits are saved.
        folder: Where they are saved; without one in the current folder.

    Raises:
        ConflictError: Our own lines or files have been edited.
        NotPatchedError: The tree has no block of such a name.
        AccessError: It can't be written to.
    """

    def look() -> Operation:
        planned = _reversal(tree, names, force=force)
        if not planned.edits:
            return planned
        place = user_edits.keep(folder or Path.cwd(), planned.edits)  # first of all: what follows removes them
        return replace(planned, notes=(f"your edits inside our lines are kept in {place}", *planned.notes))

    return commit.transact(tree, "revert", notify, look)


def _reversal(tree: Tree, names: Collection[str], *, force: bool) -> Operation:
    """Work out what `revert` does."""
    seen = survey(tree)
    if not names and not seen.is_patched and seen.receipt is None:
        return Operation(seen)
    _check_merges(seen)
    if not names:
        return reversal(seen, force=force)
    meant = {_meant(seen, name) for name in names}
    rest = [block for block in with_blocks(seen, ()) if block.name not in meant]
    patched = any(site.back for site in seen.status.sites)
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
        raise plan.conflict(tree, stuck)
    models = _installed_models(seen)
    edits = [*(change for change in models if change.before != change.after), *seen.status.edits]
    edits += [change for one in seen.layers for change in one.edits]
    if edits and not force:
        raise user_edits.refusal(tree, edits)
    planned = plan.plan(below.tree.read, backs)
    bare = {change.path: change.after for change in planned.changes} | {change.path: None for change in models}
    others = dict.fromkeys(path for one in seen.layers for path in one.layer.paths if path not in bare)
    bare |= {path: below.tree.read(path) for path in others}
    found = [Change(path, tree.read(path), content) for path, content in bare.items()]
    changes = ordered([change for change in found if change.before != change.after][::-1])
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
        unified(edits) if edits else b"",
    )


def undo(tree: Tree, done: Operation, notify: Notify) -> Operation:
    """Put back, to the byte, what was there before `apply`: an older patch, and models that were installed, too.

    Args:
        tree: The tree.
        done: What `apply` did.
        notify: Takes a line on what is waited for and what was recovered.

    Raises:
        ConflictError: A file was edited since.
        AccessError: It can't be written to.
    """
    return commit.transact(tree, "apply", notify, partial(_undoing, tree, done))


def _undoing(tree: Tree, done: Operation) -> Operation:
    """Work out what `undo` does."""
    edited = [change.path for change in done.writes if tree.read(change.path) != change.after]
    if edited:
        raise ConflictError(
            "the verdict is against the patch, and it stays: files were edited while it was tried",
            path=tree.path(edited[0]),
            found="\n".join(edited),
            remedy="`a2patch revert` takes it out.",
        )
    changes, metadata = (
        [Change(change.path, change.after, change.before) for change in some] for some in (done.changes, done.metadata)
    )
    return Operation(done.survey, ordered(changes[::-1]), metadata=tuple(metadata))


def mark_verified(tree: Tree, by: str, notify: Notify) -> None:
    """Note in the receipt that this a2patch verified the patch.

    Args:
        tree: The tree, patched.
        by: What it verified it with, such as `"torch 2.9.0, Python 3.12.1"`.
        notify: Takes a line on what is waited for and what was recovered.
    """
    by = f"{_VERIFIER}, {by}"
    with commit.locked(tree, notify):
        kept = receipt.load(tree)
        if kept is not None and kept.verified != by:
            commit.commit(tree, "verify", [receipt.change(tree, replace(kept, verified=by))])


Fault = Literal["", "not whole", "not verified"]


def fault_of(seen: Survey) -> Fault:
    """Return what keeps a tree from having all of ours whole, as this very a2patch puts it in, verified by it."""
    try:
        whole = seen.state == "applied" and seen.complete and not _again(seen).changes
    except ConflictError:
        whole = False
    if not whole:
        return "not whole"
    return "" if seen.receipt and seen.receipt.verified.startswith(f"{_VERIFIER}, ") else "not verified"


def _again(seen: Survey) -> Operation:
    """Work out what putting in again what a tree has of ours would change."""
    if any(site.back for site in seen.status.sites):
        return application(seen)
    return composed(seen, own_patch.left(seen.below), with_blocks(seen, ()))


def _installed_models(seen: Survey) -> list[Change]:
    """The model files that were installed with the patch and are still there, as they were written and as they are."""
    installed = seen.receipt.models if seen.receipt else {}
    found = ((path, written, seen.tree.read(path)) for path, written in installed.items())
    return [Change(path, written, content) for path, written, content in found if content is not None]


def _meant(seen: Survey, name: str) -> str:
    """Return the name of the block that is meant by its name, by that of its file, or by a class of it.

    Raises:
        NotPatchedError: The tree has none.
    """
    named = {one.layer.block.name: (one.layer.block.name, *one.layer.block.names()) for one in seen.layers}
    if any(site.back for site in seen.status.sites):
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


def _check_merges(seen: Survey) -> None:
    diffs = [diff for one in series.load(series.folder()).values() for diff in one]
    diffs += seen.receipt.diffs if seen.receipt else ()
    diffs += [diff for one in seen.layers for diff in one.layer.diffs]
    repository.refuse_unmerged(seen.tree, {file.path for diff in diffs for file in diff.files})


def _uncommitted_notes(seen: Survey, changes: Sequence[Change]) -> list[str]:
    """Name the files with uncommitted edits of the user among those that change."""
    if seen.is_patched:
        return []
    paths = repository.uncommitted(seen.tree, [change.path for change in changes if change.before is not None])
    if paths is None:
        return ["there is no git to tell whether these files have edits that are not committed: if so, they are kept"]
    return [f"{path} has edits that are not committed: they are kept" for path in paths]
