"""The patch of Double Attention, which lies below all blocks: worked out on a tree without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from a2patch.block import BASE, MODEL
from a2patch.patch import Change, Diff, Plan, SiteStatus, Status, between, differing, fit, outcome, plan
from a2patch.transaction import user_edits
from a2patch.transaction.survey import Survey, look
from a2patch.tree import Tree


@dataclass(frozen=True)
class Made:
    """What becomes of the patch.

    Attributes:
        files: Every file of it that may change, with its new bytes; None for one that goes.
        diffs: The diffs by which it is in the tree then, for the receipt.
        shown: The diffs that are applied or taken back.
        notes: What else the user should know, a line each.
        written: The bytes of edited files, as they were when the patch was put in.
    """

    files: Mapping[str, bytes | None] = field(default_factory=dict)
    diffs: tuple[Diff, ...] = ()
    shown: tuple[Diff, ...] = ()
    notes: tuple[str, ...] = ()
    written: Mapping[str, bytes | None] = field(default_factory=dict)


def put_in(seen: Survey, *, derivable: bool = True) -> Made:
    """Work out what putting the whole patch in changes.

    Args:
        seen: The tree, without blocks.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        ConflictError: The tree is not as any diff expects it.
    """
    tree = seen.tree
    bare = replace(tree, overlay={**tree.overlay, **_without_patch(seen)})
    planned = _plan(seen, bare, derivable=derivable)
    files = {**_without_patch(seen), **{change.path: change.after for change in planned.changes}}
    changes = differing(tree.read, files)
    older = [site.back.reversed() for site in seen.status.sites if site.back]
    edited = [_as_put_in(seen, site) for site in seen.status.sites if site.state == "edited"]
    sites = {diff.site for diff in edited}
    return Made(
        files,
        (*(diff for diff in planned.diffs if diff.site not in sites), *edited),
        (*planned.diffs, *_only(older, set(files) - {change.path for change in planned.changes})) if changes else (),
        (*_replaced_notes(seen), *_base_notes(tree, changes)) if changes else (),
        _as_written(seen),
    )


def left(seen: Survey) -> Made:
    """Return the patch as it is, whether it is in a tree or not.

    Args:
        seen: The tree, without blocks.
    """
    backs = tuple(site.back.reversed() for site in seen.status.sites if site.back)
    diffs = seen.receipt.diffs if seen.receipt and seen.receipt.diffs else backs
    edited = {site.site for site in seen.status.sites if site.state == "edited"}
    paths = dict.fromkeys(file.path for diff in diffs if diff.site not in edited for file in diff.files)
    return Made({path: seen.tree.read(path) for path in paths}, diffs, written=_as_written(seen))


def out(seen: Survey) -> Made:
    """Work out what taking the patch out changes, where blocks stay.

    Args:
        seen: The tree, without blocks.

    Raises:
        ConflictError: Lines of the patch have been edited.
    """
    if seen.status.edits:
        raise user_edits.refusal(seen.tree, seen.status.edits)
    planned = plan.plan_revert(seen.tree, seen.status)
    files = {change.path: change.after for change in planned.changes}
    return Made(files, shown=tuple(diff.reversed() for diff in planned.diffs))


def _without_patch(seen: Survey) -> dict[str, bytes | None]:
    """The files of the patch that is in a tree, as they are without it: an older patch goes before the new one.

    What the user edited stays.
    """
    backs = [site.back for site in seen.status.sites if site.back and site.state != "edited"]
    return {file.path: outcome(file, seen.tree.read(file.path)) for diff in backs for file in diff.files}


def _plan(seen: Survey, bare: Tree, *, derivable: bool) -> Plan:
    """Plan the complete patch for a tree that has nothing of it."""
    if not seen.status.is_patched:
        return plan.plan_apply(bare, seen.status)
    fresh = look(bare, (), derivable=derivable)
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


def _replaced_notes(seen: Survey) -> list[str]:
    if seen.receipt is None or not seen.receipt.diffs:
        return []
    what = f"the patch of a2patch {seen.receipt.version} for ultralytics {seen.receipt.release or 'of unknown version'}"
    return [f"{what} was taken out, and this one put in its place"]


def _base_notes(tree: Tree, changes: Sequence[Change]) -> list[str]:
    """Say where our models went in a tree that has not the one that they are made from."""
    folders = {change.path.rpartition("/")[0] for change in changes if change.path.endswith(f"/{MODEL}")}
    return [
        f"this tree has no {BASE}: ours are as upstream's leads to them, in {folder}"
        for folder in sorted(folders)
        if tree.read(f"{folder}/{BASE}") is None
    ]


def _only(diffs: Sequence[Diff], paths: Collection[str]) -> list[Diff]:
    """Cut diffs down to what they do to these files."""
    cut = [replace(diff, files=tuple(file for file in diff.files if file.path in paths)) for diff in diffs]
    return [diff for diff in cut if diff.files]
