"""The commands that change a tree, without their printing: each is worked out under the lock, and committed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from a2patch import __version__
from a2patch.block import Block
from a2patch.errors import ConflictError
from a2patch.patch import Change
from a2patch.transaction import application, commit, models, receipt, reversal, user_edits
from a2patch.transaction.commit import Notify
from a2patch.transaction.composition import Operation, ordered
from a2patch.transaction.survey import Survey
from a2patch.tree import Tree

Fault = Literal["", "not whole", "not verified"]

_VERIFIER = f"a2patch {__version__}"


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
    return commit.transact(tree, "apply", notify, partial(application.preview, tree, added, derivable=derivable))


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
    return commit.transact(tree, "apply", notify, partial(application.preview_blocks, tree, added))


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
        planned = reversal.preview(tree, names, force=force)
        if not planned.edits:
            return planned
        place = user_edits.keep(folder or Path.cwd(), planned.edits)  # first of all: what follows removes them
        return replace(planned, notes=(f"your edits inside our lines are kept in {place}", *planned.notes))

    return commit.transact(tree, "revert", notify, look)


def install(tree: Tree, files: Mapping[str, bytes], notify: Notify, *, force: bool = False) -> Operation:
    """Put model files into a tree, and into its receipt.

    Args:
        tree: The tree.
        files: The files with their bytes, by POSIX path relative to the package folder.
        notify: Takes a line on what is waited for and what was recovered.
        force: Whether files that were installed before are replaced.

    Raises:
        NotPatchedError: The tree is not completely patched, or was patched by hand and has no receipt.
        ConflictError: A name is taken.
        AccessError: The tree can't be written to.
    """
    return commit.transact(tree, "insert", notify, partial(models.installation, tree, files, force=force))


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


def fault_of(seen: Survey) -> Fault:
    """Return what keeps a tree from having all of ours whole, as this very a2patch puts it in, verified by it."""
    try:
        whole = seen.state == "applied" and seen.complete and not application.again(seen).changes
    except ConflictError:
        whole = False
    if not whole:
        return "not whole"
    return "" if seen.receipt and seen.receipt.verified.startswith(f"{_VERIFIER}, ") else "not verified"
