"""What the commands do: each takes a tree and gives back what it found or did; none prints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from a2patch.errors import NotPatchedError
from a2patch.patch import Change, Diff, Plan, SiteStatus, Status, fit, outcome, series
from a2patch.patch import derive as derivation
from a2patch.patch import plan as patching
from a2patch.transaction import bookkeeping, commit, receipt, user_edits
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree, repository

Notify = Callable[[str], None]


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
        notes: What its user should know besides, a line each.
        noted: The bookkeeping that goes with the changes: the receipt, and the installer's `RECORD`.
    """

    survey: Survey
    changes: tuple[Change, ...]
    diffs: tuple[Diff, ...]
    notes: tuple[str, ...] = ()
    noted: tuple[Change, ...] = ()


def survey(tree: Tree, *, derive: bool = True) -> Survey:
    """Look at a tree.

    Args:
        tree: The tree.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        A2PatchError: Its receipt can't be used.
    """
    kept = receipt.load(tree)
    status = _status(tree, kept.diffs if kept else (), derive=derive)
    return Survey(tree, user_edits.noticed(tree, status, kept) if kept else status, kept)


def preview(tree: Tree, *, derive: bool = True) -> Outcome:
    """Work out what `apply` would do, and write nothing.

    Args:
        tree: The tree.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree, derive=derive)
    if seen.status.state == "applied" and seen.receipt is None:  # by hand, and complete
        return Outcome(seen, (), ())
    _check_merges(seen)
    conflicts = [site for site in seen.status.sites if site.state == "conflict"]
    if conflicts and (found := user_edits.find(tree, conflicts, seen.receipt)) and found.patch:
        raise user_edits.edited(tree, found)
    bare = replace(tree, overlay=_taken_out(seen))
    files = dict(bare.overlay)
    plan = _plan(seen, bare, derive=derive)
    files |= {change.path: change.after for change in plan.changes}
    changes = [Change(path, tree.read(path), content) for path, content in files.items()]
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return Outcome(seen, (), ())
    gone = [site.back.reversed() for site in seen.status.sites if site.back]
    return Outcome(
        seen,
        _ordered(changes),
        (*plan.diffs, *_only(gone, set(files) - {file.path for diff in plan.diffs for file in diff.files})),
        (*_kept_edits(seen, changes), *_renewed(seen)),
        bookkeeping.put_in(tree, seen.receipt, plan.diffs, files),
    )


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


def apply(tree: Tree, notify: Notify, *, derive: bool = True) -> Outcome:
    """Patch a tree.

    Args:
        tree: The tree.
        notify: Told, in a line, what is waited for and what was recovered.
        derive: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
        AccessError: It can't be written to.
    """
    look = partial(preview, tree, derive=derive)
    outcome = commit.settled(tree, notify, look)  # a tree that will be refused is not even locked
    if not outcome.changes:
        return outcome
    with commit.locked(tree, notify):
        if not _still_holds(outcome):
            outcome = look()
        if outcome.changes:
            commit.commit(tree, "apply", [*outcome.changes, *outcome.noted])
        return outcome


def revert(tree: Tree, notify: Notify, *, force: bool = False) -> Outcome:
    """Take the patch out of a tree.

    Args:
        tree: The tree.
        notify: Told, in a line, what is waited for and what was recovered.
        force: Whether ours is taken out even where its user has edited it; the edits are saved in a patch file.

    Raises:
        ConflictError: Our own lines or files have been edited.
        AccessError: It can't be written to.
    """
    look = partial(_reversal, tree, force=force)
    outcome = commit.settled(tree, notify, look)
    if not outcome.changes and not outcome.noted:
        return outcome
    with commit.locked(tree, notify):
        if not _still_holds(outcome):
            outcome = look()
        commit.commit(tree, "revert", [*outcome.changes, *outcome.noted])
        return outcome


def _reversal(tree: Tree, *, force: bool) -> Outcome:
    """What `revert` would do; with nothing noted where there is nothing to take out."""
    seen = survey(tree)
    if seen.status.state == "pristine" and seen.receipt is None:
        return Outcome(seen, (), ())
    _check_merges(seen)
    conflicts = [site for site in seen.status.sites if site.state == "conflict"]
    found = user_edits.find(tree, conflicts, seen.receipt)
    if found is None:
        raise patching.conflict(tree, conflicts)
    if found.patch and not force:
        raise user_edits.edited(tree, found)
    plan = patching.plan(tree.read, [site.back for site in seen.status.sites if site.back])
    saved = [found.saved(tree)] if found.patch else []
    notes = [f"your edits inside our lines are kept in {tree.path(change.path)}" for change in saved]
    changes = _ordered([*plan.changes, *found.changes][::-1])
    diffs = [diff.reversed() for diff in plan.diffs]
    return Outcome(
        seen,
        changes,
        (*diffs, *_only(seen.receipt.diffs if seen.receipt else (), {change.path for change in found.changes})),
        tuple(notes),
        (*saved, *bookkeeping.take_out(tree, seen.receipt, changes)),
    )


def mark_verified(tree: Tree, by: str, notify: Notify) -> None:
    """Note in the receipt that the patch was verified.

    Args:
        tree: The tree, patched.
        by: What verified it, such as `"torch 2.9.0, Python 3.12.1"`.
        notify: Told, in a line, what is waited for.
    """
    with commit.locked(tree, notify):
        kept = receipt.load(tree)
        if kept is not None and kept.verified != by:
            new = replace(kept, verified=by)
            commit.commit(tree, "verify", [Change(receipt.PATH, tree.read(receipt.PATH), new.encode())])


def refuse_unpatched(seen: Survey) -> None:
    """Raise where a tree has nothing of the patch.

    Raises:
        NotPatchedError: It has not.
    """
    if seen.status.state == "pristine":
        raise NotPatchedError(
            "the tree is not patched", path=seen.tree.package, remedy="Patch it with `a2patch apply`."
        )


def untouched(seen: Survey) -> Mapping[str, bytes | None] | None:
    """The bytes that the files of a patched tree had before; None for a file that was not there.

    Returns:
        The bytes by path; None for a tree that is not wholly patched.
    """
    if seen.status.state != "applied":
        return None
    return {change.path: change.after for change in patching.plan_revert(seen.tree, seen.status).changes}


def _status(tree: Tree, known: Sequence[Diff], *, derive: bool) -> Status:
    patches = series.folder()
    maker = partial(derivation.diff, read=tree.read, added=derivation.sources(patches), release=tree.version)
    return patching.status(tree.read, series.load(patches), tree.version, known, maker if derive else None)


def _taken_out(seen: Survey) -> dict[str, bytes | None]:
    """What of ours is in a tree, as it is without: an older patch goes before the new one is put in."""
    backs = [site.back for site in seen.status.sites if site.back]
    return {file.path: outcome(file, seen.tree.read(file.path)) for diff in backs for file in diff.files}


def _plan(seen: Survey, bare: Tree, *, derive: bool) -> Plan:
    """Plan the whole patch for a tree that has nothing of it."""
    if not bare.overlay:
        return patching.plan_apply(bare, seen.status)
    fresh = _status(bare, (), derive=derive)
    sites = [_refit(new, old, bare) for new, old in zip(fresh.sites, seen.status.sites, strict=True)]
    return patching.plan_apply(bare, Status(tuple(sites)))


def _refit(new: SiteStatus, old: SiteStatus, bare: Tree) -> SiteStatus:
    """Where no diff of this a2patch fits, the one that was there before goes back in."""
    if new.state == "conflict" and old.back and old.state == "applied":
        forth = fit(old.back.reversed(), bare.read)
        if isinstance(forth, Diff):
            return SiteStatus(new.site, "pristine", forth=forth)
    return new


def _still_holds(outcome: Outcome) -> bool:
    """Whether what was worked out before the lock was held is still true now that it is."""
    tree = outcome.survey.tree
    return all(tree.read(change.path) == change.before for change in (*outcome.changes, *outcome.noted))


def _check_merges(seen: Survey) -> None:
    diffs = [diff for one in series.load(series.folder()).values() for diff in one]
    diffs += seen.receipt.diffs if seen.receipt else ()
    repository.refuse_unmerged(seen.tree, {file.path for diff in diffs for file in diff.files})


def _kept_edits(seen: Survey, changes: Sequence[Change]) -> list[str]:
    """Told where the user's own work lies in a file that changes; it is kept, but he might want to commit it first."""
    if any(site.back for site in seen.status.sites):
        return []
    paths = repository.uncommitted(seen.tree, [change.path for change in changes if change.before is not None])
    if paths is None:
        return ["there is no git to tell whether these files have edits that are not committed: if so, they are kept"]
    return [f"{path} has edits that are not committed: they are kept" for path in paths]


def _renewed(seen: Survey) -> list[str]:
    if seen.receipt is None:
        return []
    what = f"the patch of a2patch {seen.receipt.version} for ultralytics {seen.receipt.release or 'of unknown version'}"
    return [f"{what} was taken out, and this one put in its place"]


def _only(diffs: Sequence[Diff], paths: Collection[str]) -> list[Diff]:
    """Of some diffs, what they do to these files."""
    cut = [replace(diff, files=tuple(file for file in diff.files if file.path in paths)) for diff in diffs]
    return [diff for diff in cut if diff.files]


def _ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes in an order in which whoever imports the package meanwhile finds every name that it asks for."""
    rank = {(True, False): 0, (False, False): 1, (False, True): 2}
    return tuple(sorted(changes, key=lambda change: rank[change.before is None, change.after is None]))
