"""The commands on a tree, without their printing: patch it, take the patch out, note a verdict."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from a2patch.block import CLASSES, MODULE, Block
from a2patch.errors import ConflictError, NotPatchedError
from a2patch.patch import Change, Diff, plan, series
from a2patch.transaction import blocks, commit, own_patch, receipt, user_edits
from a2patch.transaction.commit import Notify
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.layers import Layer
from a2patch.transaction.own_patch import Made
from a2patch.transaction.survey import Survey, survey, untouched
from a2patch.tree import Tree, repository


@dataclass(frozen=True)
class Operation:
    """What a command does to a tree: planned, or done.

    Attributes:
        survey: The tree as it was found.
        changes: The files that change, metadata aside; empty where there is nothing to do.
        diffs: The diffs that are applied or taken back.
        notes: What else the user should know, a line each.
        metadata: What changes along: the installer's `RECORD`, saved edits of the user, and the receipt, which is last.
        layers: The blocks that are put in, or taken out, upon the patch.
    """

    survey: Survey
    changes: tuple[Change, ...] = ()
    diffs: tuple[Diff, ...] = ()
    notes: tuple[str, ...] = ()
    metadata: tuple[Change, ...] = ()
    layers: tuple[Layer, ...] = ()

    @property
    def writes(self) -> tuple[Change, ...]:
        """Every file that changes, the receipt last."""
        return (*self.changes, *self.metadata)

    def names(self) -> dict[str, str]:
        """Return what changes each file, by its path: a diff, or a block where no diff of the patch does."""
        of_blocks: dict[str, str] = {}
        for layer in self.layers:
            names = {path: [of_blocks[path]] if path in of_blocks else [] for path in layer.paths}
            of_blocks |= {path: ", ".join([*before, layer.block.name]) for path, before in names.items()}
        return of_blocks | {file.path: diff.name for diff in self.diffs for file in diff.files}


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
    kept = {one.layer.block.name: one.layer.block for one in seen.layers if blocks.is_known(seen.tree, one.layer)}
    return tuple({**kept, **{block.name: block for block in added}}.values())


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
    blocks.refuse_stuck(tree, seen.layers)
    kept, edits = _edited(seen, wanted)
    if edits and not force:
        raise user_edits.refusal(tree, edits)
    below = replace(seen.below.tree, overlay={**seen.below.tree.overlay, **made.files})
    above, layers = blocks.put_in(below, wanted)
    old = [one.layer for one in seen.layers]
    paths = dict.fromkeys((*made.files, *(path for layer in (*old, *layers) for path in layer.paths)))
    files = {path: kept.get(path, above.read(path)) for path in paths}
    changes = [Change(path, tree.read(path), content) for path, content in files.items()]
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return Operation(seen)
    saved = [user_edits.saved(tree, edits)] if edits else []
    written = _written(below, made, wanted)
    concerned = _concerned(old, layers)
    return Operation(
        seen,
        _ordered(changes),
        made.shown,
        (*made.notes, *_block_notes(seen, layers, concerned), *_saved_notes(tree, saved)),
        (*saved, *receipt.note_applied(tree, seen.receipt, made.diffs, {**written, **files, **written}, layers)),
        concerned,
    )


def _concerned(old: Sequence[Layer], new: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the blocks that go in, or out: not those that are only put in again."""
    before, after = ([layer.block for layer in some] for some in (old, new))
    return tuple(
        [layer for layer in old if layer.block not in after] + [layer for layer in new if layer.block not in before]
    )


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


def revert(tree: Tree, notify: Notify, names: Collection[str] = (), *, force: bool = False) -> Operation:
    """Take the patch out of a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        names: The blocks to take out, or classes of them; none for all that is ours.
        force: Whether lines and files of the patch are taken out also where the user edited them; the edits are saved.

    Raises:
        ConflictError: Our own lines or files have been edited.
        NotPatchedError: The tree has no block of such a name.
        AccessError: It can't be written to.
    """
    return commit.transact(tree, "revert", notify, partial(_reversal, tree, names, force=force))


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
    blocks.refuse_stuck(tree, seen.layers)
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
    saved = [user_edits.saved(tree, edits)] if edits else []
    bare = {change.path: change.after for change in planned.changes} | {change.path: None for change in models}
    others = dict.fromkeys(path for one in seen.layers for path in one.layer.paths if path not in bare)
    bare |= {path: below.tree.read(path) for path in others}
    found = [Change(path, tree.read(path), content) for path, content in bare.items()]
    changes = _ordered([change for change in found if change.before != change.after][::-1])
    notes = _saved_notes(tree, saved)
    if not changes:
        notes.append(f"nothing of the patch was left in the tree: its receipt was removed, {tree.path(RECEIPT)}")
    return Operation(
        seen,
        changes,
        tuple(diff.reversed() for diff in planned.diffs),
        tuple(notes),
        (*saved, *receipt.note_reverted(tree, seen.receipt, changes)),
        tuple(one.layer for one in seen.layers),
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
    return Operation(done.survey, _ordered(changes[::-1]), metadata=tuple(metadata))


def mark_verified(tree: Tree, by: str, notify: Notify) -> None:
    """Note in the receipt that the patch was verified.

    Args:
        tree: The tree, patched.
        by: What verified it, such as `"torch 2.9.0, Python 3.12.1"`.
        notify: Takes a line on what is waited for and what was recovered.
    """
    with commit.locked(tree, notify):
        kept = receipt.load(tree)
        if kept is not None and kept.verified != by:
            commit.commit(tree, "verify", [receipt.change(tree, replace(kept, verified=by))])


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


def _saved_notes(tree: Tree, saved: Sequence[Change]) -> list[str]:
    return [f"your edits inside our lines are kept in {tree.path(change.path)}" for change in saved]


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
        if not blocks.is_known(seen.tree, one.layer):
            notes.append(f"{one.layer.block.name} was gone from the tree; `a2patch apply FILE` puts it in again")
    models = seen.receipt.models if seen.receipt else {}
    classes = {name for one in gone for name in one.layer.block.names()}
    for path, content in models.items():
        if any(re.search(rb"\b%s\b" % name.encode(), content) for name in classes):
            notes.append(f"{path} has rows of what was taken out, and builds no more")
    return notes


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


def _ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Order changes so that a program which imports the package meanwhile finds every name that it asks for."""
    rank = {(True, False): 0, (False, False): 1, (False, True): 2}
    return tuple(sorted(changes, key=lambda change: rank[change.before is None, change.after is None]))
