"""Edits that the user made inside our own lines: found, shown, and saved when the patch is taken out all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a2patch.errors import ConflictError
from a2patch.patch import Change, Diff, FileDiff, Misfit, SiteStatus, Status, fit_file, merge, outcome, unified
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree

NAME = "a2patch-your-edits{}.patch"


@dataclass(frozen=True)
class Edits:
    """How to take the patch out of files that were edited inside our own lines.

    Attributes:
        changes: What takes ours out; edits elsewhere in the files are kept.
        patch: What the user made of our lines, as a diff that fits once the patch is in again; empty if nothing.
    """

    changes: tuple[Change, ...]
    patch: bytes

    def saved(self, tree: Tree) -> Change:
        """The file that keeps the user's edits, under a name that is free."""
        tried = (NAME.format(f"-{number}" if number else "") for number in range(1000))
        path = next(path for path in tried if tree.read(path) is None)
        return Change(path, None, self.patch)


def noticed(tree: Tree, status: Status, kept: Receipt) -> Status:
    """A status in which no file that the receipt knows as ours is overlooked.

    An edited module file is no longer ours to the byte, and a diff of another layout, which puts the module elsewhere,
    may well fit beside it: without the receipt such a site looks as if nothing had ever been there.

    Args:
        tree: The tree.
        status: What the bytes say by themselves.
        kept: The receipt.
    """
    left: dict[str, list[Misfit]] = {}
    for diff in kept.diffs:
        for file in diff.files:
            if file.creates and tree.read(file.path) is not None:
                back = fit_file(diff, file.reversed(), tree.read)
                if isinstance(back, Misfit):
                    left.setdefault(diff.site, []).append(back)
    sites = (
        SiteStatus(site.site, "conflict", misfits=tuple(left[site.site])) if site.site in left else site
        for site in status.sites
    )
    return Status(tuple(sites))


def find(tree: Tree, sites: Sequence[SiteStatus], kept: Receipt | None) -> Edits | None:
    """Find what was edited inside our own lines, and in model files that were installed besides.

    Args:
        tree: The tree.
        sites: The sites where the patch can't be taken out as it is.
        kept: The receipt, which tells what we wrote.

    Returns:
        The edits; None where nothing tells which lines are ours.
    """
    names = {site.site for site in sites}
    if not names <= {diff.site for diff in (kept.diffs if kept else ())}:
        return None
    if kept is None:
        return Edits((), b"")
    changes, ours = [], []
    for path, written in kept.models.items():
        if (content := tree.read(path)) is not None:
            changes.append(Change(path, content, None))
            ours.append(Change(path, written, content))
    for diff in kept.diffs:
        for file in diff.files if diff.site in names else ():
            content = tree.read(file.path)
            if content is None or not _is_left(file, content):
                continue
            taken = _without(tree, kept, diff, file, content)
            if taken is None:
                return None
            changes.append(Change(file.path, content, taken[0]))
            ours.append(Change(file.path, taken[1], content))
    theirs = [change for change in ours if change.before != change.after]
    return Edits(tuple(changes), unified(theirs) if theirs else b"")


def edited(tree: Tree, edits: Edits) -> ConflictError:
    """The error that shows the user's edits inside our own lines.

    Args:
        tree: The tree.
        edits: The edits.
    """
    return ConflictError(
        "lines or files of ours have been edited since they were put in",
        path=tree.package,
        found=edits.patch.decode("utf-8", "replace"),
        remedy="Nothing was written. `a2patch revert --force` takes ours out and saves these edits as a patch file.",
    )


def _is_left(file: FileDiff, content: bytes) -> bool:
    """Whether any line that only we brought still stands in a file; else somebody has put the file back."""
    if file.creates:
        return True
    added = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign == b"+"}
    known = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign != b"+"}
    return any(b"DoubleAttention" in line for line in (added - known) & {line.strip() for line in content.split(b"\n")})


def _without(
    tree: Tree, kept: Receipt, diff: Diff, file: FileDiff, content: bytes
) -> tuple[bytes | None, bytes | None] | None:
    """A file without our lines, and the same with our lines as they were put in; None if nothing tells them apart."""
    if file.creates:
        return None, file.content
    back = fit_file(diff, file.reversed(), tree.read)
    if isinstance(back, FileDiff):
        return outcome(back, content), content
    base = kept.written.get(file.path)
    if base is None or kept.release != tree.version:
        return None
    back = fit_file(diff, file.reversed(), {file.path: base}.get)
    if not isinstance(back, FileDiff):
        return None
    merged = merge(base, content, outcome(back, base) or b"")
    again = fit_file(diff, file, {file.path: merged}.get)
    return merged, outcome(again, merged) if isinstance(again, FileDiff) else merged
