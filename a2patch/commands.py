"""What the commands do: each takes a tree and gives back what it found or did; none prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from a2patch import __version__, patching, receipt, series, transaction
from a2patch import derive as derivation
from a2patch.errors import NotPatchedError
from a2patch.patching import Change, Status
from a2patch.receipt import Receipt
from a2patch.series import Diff
from a2patch.tree import Tree

Say = Callable[[str], None]


@dataclass(frozen=True)
class Survey:
    """A tree and what is known of it.

    Attributes:
        tree: The tree.
        status: What its bytes say.
        receipt: What was applied, by its receipt; None where there is none.
    """

    tree: Tree
    status: Status
    receipt: Receipt | None


@dataclass(frozen=True)
class Outcome:
    """What a command did.

    Attributes:
        survey: The tree as it was found.
        changes: What changed, the receipt aside; empty where there was nothing to do.
        diffs: The diffs that were applied or taken back.
    """

    survey: Survey
    changes: tuple[Change, ...]
    diffs: tuple[Diff, ...]


def survey(tree: Tree, *, derive: bool = True) -> Survey:
    """Look at a tree.

    Args:
        tree: The tree.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        A2PatchError: Its receipt can't be used.
    """
    kept = receipt.load(tree)
    patches = series.folder()
    maker = partial(derivation.diff, read=tree.read, added=derivation.sources(patches), release=tree.version)
    status = patching.status(
        tree.read, series.load(patches), tree.version, kept.diffs if kept else (), maker if derive else None
    )
    return Survey(tree, status, kept)


def preview(tree: Tree, *, derive: bool = True) -> Outcome:
    """Work out what `apply` would do, and write nothing.

    Args:
        tree: The tree.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree, derive=derive)
    if seen.status.state == "applied":
        return Outcome(seen, (), ())
    plan = patching.plan_apply(tree, seen.status)
    return Outcome(seen, plan.changes, plan.diffs)


def difference(tree: Tree) -> Outcome:
    """Work out what the patch changed in a tree that has it, or would change in one that has not.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree)
    if seen.status.state != "applied":
        return preview(tree)
    plan = patching.plan_revert(tree, seen.status)
    changes = tuple(Change(change.path, change.after, change.before) for change in plan.changes)
    return Outcome(seen, changes, tuple(diff.reversed() for diff in plan.diffs))


def apply(tree: Tree, say: Say, *, derive: bool = True) -> Outcome:
    """Patch a tree.

    Args:
        tree: The tree.
        say: Told, in a line, what is waited for and what was recovered.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
        AccessError: It can't be written to.
    """
    preview(tree, derive=derive)  # a tree that will be refused is not even locked
    with transaction.locked(tree, say):
        outcome = preview(tree, derive=derive)
        if not outcome.changes:
            return outcome
        there = tuple(site.back.reversed() for site in outcome.survey.status.sites if site.back)
        written = Receipt(__version__, tree.version, _by_site(*there, *outcome.diffs))
        transaction.commit(tree, "apply", [*outcome.changes, _receipt_change(tree, written)])
        return outcome


def revert(tree: Tree, say: Say) -> Outcome:
    """Take the patch out of a tree.

    Args:
        tree: The tree.
        say: Told, in a line, what is waited for and what was recovered.

    Raises:
        ConflictError: Our own lines or files have been edited.
        AccessError: It can't be written to.
    """
    seen = survey(tree)
    if seen.status.state == "pristine" and seen.receipt is None:
        return Outcome(seen, (), ())
    patching.plan_revert(tree, seen.status)
    with transaction.locked(tree, say):
        seen = survey(tree)
        plan = patching.plan_revert(tree, seen.status)
        changes = list(plan.changes)
        if seen.receipt is not None:
            changes.append(_receipt_change(tree, None))
        transaction.commit(tree, "revert", changes)
        return Outcome(seen, plan.changes, tuple(diff.reversed() for diff in plan.diffs))


def mark_verified(tree: Tree, by: str, say: Say) -> None:
    """Note in the receipt that the patch was verified.

    Args:
        tree: The tree, patched.
        by: What verified it, such as `"torch 2.9.0, Python 3.12.1"`.
        say: Told, in a line, what is waited for.
    """
    with transaction.locked(tree, say):
        kept = receipt.load(tree)
        if kept is not None and kept.verified != by:
            transaction.commit(tree, "verify", [_receipt_change(tree, replace(kept, verified=by))])


def untouched(seen: Survey) -> Mapping[str, bytes | None]:
    """The bytes that the files of a patched tree had before, by path; None where there was no such file.

    Raises:
        NotPatchedError: The tree is not wholly patched.
    """
    if seen.status.state != "applied":
        raise NotPatchedError(
            f"the tree is not patched: its state is {seen.status.state}",
            path=seen.tree.package,
            found="\n".join(f"{site.site}: {site.state}" for site in seen.status.sites),
            remedy="Patch it with `a2patch apply`.",
        )
    return {change.path: change.after for change in patching.plan_revert(seen.tree, seen.status).changes}


def _by_site(*diffs: Diff) -> tuple[Diff, ...]:
    """One diff a site, where a site was half there already."""
    merged: dict[str, Diff] = {}
    for diff in diffs:
        files = merged[diff.site].files + diff.files if diff.site in merged else diff.files
        merged[diff.site] = replace(diff, files=files)
    return tuple(merged[site] for site in series.SITES if site in merged)


def _receipt_change(tree: Tree, new: Receipt | None) -> Change:
    return Change(receipt.PATH, tree.read(receipt.PATH), new.encode() if new else None)
