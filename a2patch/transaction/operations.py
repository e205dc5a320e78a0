"""The commands on a tree, without their printing: look at it, patch it, take the patch out, note a verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Literal

from a2patch import __version__
from a2patch.block import BASE, MODEL
from a2patch.errors import ConflictError, NotPatchedError
from a2patch.patch import (
    Change,
    Diff,
    Plan,
    Site,
    SiteStatus,
    Status,
    between,
    derive,
    fit,
    outcome,
    plan,
    series,
    unified,
)
from a2patch.transaction import commit, receipt, user_edits
from a2patch.transaction.commit import Notify
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree, repository

_VERIFIER = f"a2patch {__version__}"


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
class Operation:
    """What a command does to a tree: planned, or done.

    Attributes:
        survey: The tree as it was found.
        changes: The files that change, metadata aside; empty where there is nothing to do.
        diffs: The diffs that are applied or taken back.
        notes: What else the user should know, a line each.
        metadata: What changes along: the installer's `RECORD`, and the receipt, which is last.
        edits: The user's edits that go with what is taken out, as a patch; empty where there are none.
    """

    survey: Survey
    changes: tuple[Change, ...] = ()
    diffs: tuple[Diff, ...] = ()
    notes: tuple[str, ...] = ()
    metadata: tuple[Change, ...] = ()
    edits: bytes = b""

    @property
    def writes(self) -> tuple[Change, ...]:
        """Every file that changes, the receipt last."""
        return (*self.changes, *self.metadata)


def survey(tree: Tree, *, derivable: bool = True) -> Survey:
    """Look at a tree.

    Args:
        tree: The tree.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        A2PatchError: Its receipt can't be used.
    """
    kept = receipt.load(tree)
    status = _status(tree, kept.diffs if kept else (), derivable=derivable)
    if status.state != "applied" or kept:
        status = user_edits.recognize(tree, status, kept, _added_files(tree))
    if not any(site.back for site in status.sites):
        status = replace(status, taken=plan.taken_names(tree, status))
    return Survey(tree, status, kept)


def preview(tree: Tree, *, derivable: bool = True) -> Operation:
    """Work out what `apply` would do, and write nothing.

    Args:
        tree: The tree.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree, derivable=derivable)
    if seen.status.complete and seen.receipt is None:  # by hand, and complete
        return Operation(seen)
    _check_merges(seen)
    planned = application(seen, derivable=derivable)
    return replace(planned, notes=(*_uncommitted_notes(seen, planned.changes), *planned.notes))


def application(seen: Survey, *, derivable: bool = True) -> Operation:
    """Work out what putting the whole patch in changes; git is not asked.

    Args:
        seen: The tree, and what is known of it.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    tree = seen.tree
    bare = replace(tree, overlay={**tree.overlay, **_without_patch(seen)})
    planned = _plan(seen, bare, derivable=derivable)
    files = {**_without_patch(seen), **{change.path: change.after for change in planned.changes}}
    changes = [Change(path, tree.read(path), content) for path, content in files.items()]
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return Operation(seen)
    older = [site.back.reversed() for site in seen.status.sites if site.back]
    edited = [_as_put_in(seen, site) for site in seen.status.sites if site.state == "edited"]
    sites = {diff.site for diff in edited}
    put_in = (*(diff for diff in planned.diffs if diff.site not in sites), *edited)
    return Operation(
        seen,
        _ordered(changes),
        (*planned.diffs, *_only(older, set(files) - {change.path for change in planned.changes})),
        (*_replaced_notes(seen), *_base_notes(tree, changes)),
        receipt.note_applied(tree, seen.receipt, put_in, {**_as_written(seen), **files}),
    )


def difference(tree: Tree) -> Operation:
    """Work out what the patch changed in a tree that has it, or would change in one that has not.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    seen = survey(tree)
    if not seen.status.complete:
        return preview(tree)
    planned = plan.plan_revert(tree, seen.status)
    changes = tuple(Change(change.path, change.after, change.before) for change in planned.changes)
    return Operation(seen, changes, tuple(diff.reversed() for diff in planned.diffs))


def apply(tree: Tree, notify: Notify, *, derivable: bool = True) -> Operation:
    """Patch a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
        AccessError: It can't be written to.
    """
    return commit.transact(tree, "apply", notify, partial(preview, tree, derivable=derivable))


def revert(tree: Tree, notify: Notify, *, force: bool = False, folder: Path | None = None) -> Operation:
    """Take the patch out of a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        force: Whether lines and files of the patch are taken out also where the user edited them; the edits are saved.
        folder: Where they are saved; without one in the current folder.

    Raises:
        ConflictError: Our own lines or files have been edited.
        AccessError: It can't be written to.
    """

    def look() -> Operation:
        planned = _reversal(tree, force=force)
        if not planned.edits:
            return planned
        place = user_edits.keep(folder or Path.cwd(), planned.edits)  # first of all: what follows removes them
        return replace(planned, notes=(f"your edits inside our lines are kept in {place}", *planned.notes))

    return commit.transact(tree, "revert", notify, look)


def _reversal(tree: Tree, *, force: bool) -> Operation:
    """Work out what `revert` does."""
    seen = survey(tree)
    if not any(site.back for site in seen.status.sites) and seen.receipt is None:
        return Operation(seen)
    _check_merges(seen)
    return reversal(seen, force=force)


def reversal(seen: Survey, *, force: bool) -> Operation:
    """Work out what taking the patch out changes; git is not asked.

    Args:
        seen: The tree, and what is known of it.
        force: Whether lines and files of the patch are taken out also where the user edited them.

    Raises:
        ConflictError: Our own lines or files have been edited.
    """
    tree = seen.tree
    backs = [site.back for site in seen.status.sites if site.back]
    conflicts = [site for site in seen.status.sites if site.state == "conflict"]
    if stuck := [site for site in conflicts if user_edits.holds_ours(tree, site, seen.receipt)]:
        raise plan.conflict(tree, stuck)
    models = _installed_models(seen)
    edits = [*(change for change in models if change.before != change.after), *seen.status.edits]
    if edits and not force:
        raise user_edits.refusal(tree, edits)
    planned = plan.plan(tree.read, backs)
    notes = []
    removed = [Change(change.path, change.after, None) for change in models]
    changes = _ordered([*planned.changes, *removed][::-1])
    if not changes:
        notes.append(f"nothing of the patch was left in the tree: its receipt was removed, {tree.path(RECEIPT)}")
    return Operation(
        seen,
        changes,
        tuple(diff.reversed() for diff in planned.diffs),
        tuple(notes),
        receipt.note_reverted(tree, seen.receipt, changes),
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
    return Operation(done.survey, _ordered(changes[::-1]), metadata=tuple(metadata))


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
    """Return what keeps a tree from having the whole patch of this very a2patch, verified by it."""
    try:
        whole = seen.status.state == "applied" and not application(seen).changes
    except ConflictError:
        whole = False
    if not whole:
        return "not whole"
    return "" if seen.receipt and seen.receipt.verified.startswith(f"{_VERIFIER}, ") else "not verified"


def refuse_unpatched(seen: Survey) -> None:
    """Refuse a tree that has nothing of the patch.

    Raises:
        NotPatchedError: It has nothing; what stands in the way of the patch is named.
    """
    if seen.status.state == "pristine":
        raise NotPatchedError(
            "the tree is not patched", path=seen.tree.package, remedy="Patch it with `a2patch apply`."
        )
    if seen.status.state == "foreign":
        raise NotPatchedError(
            "the tree is not patched, and something stands where the patch would go",
            path=seen.tree.package,
            found=plan.obstacles(seen.status),
            remedy="Take this out by hand, or go back to the untouched release; then patch it with `a2patch apply`. "
            "`a2patch verify MODEL` tries a model of your own as the tree is.",
        )


def untouched(seen: Survey) -> Mapping[str, bytes | None] | None:
    """Work out which bytes the files of a patched tree had before the patch.

    Returns:
        The bytes by path, None for a file that was not there; None for a tree that is not completely patched.
    """
    if not seen.status.complete:
        return None
    return {change.path: change.after for change in plan.plan_revert(seen.tree, seen.status).changes}


def _status(tree: Tree, known: Sequence[Diff], *, derivable: bool) -> Status:
    patches, read = series.folder(), cache(tree.read)
    maker = partial(derive.diff, read=read, added=derive.sources(patches), release=tree.version)
    return plan.status(read, series.load(patches), tree.version, known, maker if derivable else None)


def _added_files(tree: Tree) -> list[Diff]:
    """The diffs of a2patch that add files, those most likely to be in a tree first."""
    patches = series.folder()
    sites: tuple[Site, ...] = ("module", "cfg")
    return [diff for site in sites for diff in series.by_nearness(series.load_site(patches / site, site), tree.version)]


def _without_patch(seen: Survey) -> dict[str, bytes | None]:
    """The files of the patch that is in a tree, as they are without it: an older patch goes before the new one.

    What the user edited stays.
    """
    backs = [site.back for site in seen.status.sites if site.back and site.state != "edited"]
    return {file.path: outcome(file, seen.tree.read(file.path)) for diff in backs for file in diff.files}


def _plan(seen: Survey, bare: Tree, *, derivable: bool) -> Plan:
    """Plan the complete patch for a tree that has nothing of it."""
    if not any(site.back for site in seen.status.sites):
        return plan.plan_apply(bare, seen.status)
    fresh = _status(bare, (), derivable=derivable)
    pairs = zip(fresh.sites, seen.status.sites, strict=True)
    sites = [old if old.state == "edited" else _refit(new, old, bare) for new, old in pairs]
    return plan.plan_apply(bare, Status(tuple(sites)))


def _refit(new: SiteStatus, old: SiteStatus, bare: Tree) -> SiteStatus:
    """Choose the diff that was in the tree before, where no diff of this a2patch fits."""
    if new.state == "conflict" and old.back and old.state == "applied":
        forth = fit(old.back.reversed(), bare.read)
        if isinstance(forth, Diff):
            return SiteStatus(new.site, "pristine", forth=forth)
    return new


def _as_put_in(seen: Survey, site: SiteStatus) -> Diff:
    """The diff by which an edited site got the patch: the receipt has it, else the site only has files of ours."""
    for diff in seen.receipt.diffs if seen.receipt else ():
        if diff.site == site.site:
            return diff
    assert site.back is not None
    written = {change.path: change.before for change in site.edits}
    contents = {file.path: written.get(file.path) or file.reversed().content for file in site.back.files}
    added = tuple(between(path, content, None).reversed() for path, content in contents.items())
    return replace(site.back, files=(*added, *(site.forth.files if site.forth else ())))


def _as_written(seen: Survey) -> dict[str, bytes | None]:
    """The files of edited sites as they were when the patch was put in, by path."""
    edited = [site.back for site in seen.status.sites if site.state == "edited" and site.back]
    files = {file.path: seen.tree.read(file.path) for diff in edited for file in diff.files}
    kept = seen.receipt.written if seen.receipt else {}
    written = {path: kept.get(path, content) for path, content in files.items()}
    return {**written, **{change.path: change.before for change in seen.status.edits if change.path not in kept}}


def _installed_models(seen: Survey) -> list[Change]:
    """The model files that were installed with the patch and are still there, as they were written and as they are."""
    installed = seen.receipt.models if seen.receipt else {}
    found = ((path, written, seen.tree.read(path)) for path, written in installed.items())
    return [Change(path, written, content) for path, written, content in found if content is not None]


def _check_merges(seen: Survey) -> None:
    diffs = [diff for one in series.load(series.folder()).values() for diff in one]
    diffs += seen.receipt.diffs if seen.receipt else ()
    repository.refuse_unmerged(seen.tree, {file.path for diff in diffs for file in diff.files})


def _uncommitted_notes(seen: Survey, changes: Sequence[Change]) -> list[str]:
    """Name the files with uncommitted edits of the user among those that change."""
    if any(site.back for site in seen.status.sites):
        return []
    paths = repository.uncommitted(seen.tree, [change.path for change in changes if change.before is not None])
    if paths is None:
        return ["there is no git to tell whether these files have edits that are not committed: if so, they are kept"]
    return [f"{path} has edits that are not committed: they are kept" for path in paths]


def _base_notes(tree: Tree, changes: Sequence[Change]) -> list[str]:
    """Say where our models went in a tree that has not the one that they are made from."""
    folders = {change.path.rpartition("/")[0] for change in changes if change.path.endswith(f"/{MODEL}")}
    return [
        f"this tree has no {BASE}: ours are as upstream's leads to them, in {folder}"
        for folder in sorted(folders)
        if tree.read(f"{folder}/{BASE}") is None
    ]


def _replaced_notes(seen: Survey) -> list[str]:
    if seen.receipt is None:
        return []
    what = f"the patch of a2patch {seen.receipt.version} for ultralytics {seen.receipt.release or 'of unknown version'}"
    return [f"{what} was taken out, and this one put in its place"]


def _only(diffs: Sequence[Diff], paths: Collection[str]) -> list[Diff]:
    """Cut diffs down to what they do to these files."""
    cut = [replace(diff, files=tuple(file for file in diff.files if file.path in paths)) for diff in diffs]
    return [diff for diff in cut if diff.files]


def _ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Order changes so that a program which imports the package meanwhile finds every name that it asks for."""
    rank = {(True, False): 0, (False, False): 1, (False, True): 2}
    return tuple(sorted(changes, key=lambda change: rank[change.before is None, change.after is None]))
