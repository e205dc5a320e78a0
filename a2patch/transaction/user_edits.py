"""Edits that the user made inside lines of the patch: found, shown, and saved when the patch is taken out by force."""

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
    """How to take the patch out of files that were edited inside its lines.

    Attributes:
        changes: What takes the patch out; edits elsewhere in the files are kept.
        patch: What the user made of its lines, as a diff that fits once the patch is in again; empty if nothing.
    """

    changes: tuple[Change, ...]
    patch: bytes

    def saved(self, tree: Tree) -> Change:
        """Return the new file that keeps the user's edits, under a name that is free."""
        tried = (NAME.format(f"-{number}" if number else "") for number in range(1000))
        path = next(path for path in tried if tree.read(path) is None)
        return Change(path, None, self.patch)


def include_edited_files(tree: Tree, status: Status, kept: Receipt) -> Status:
    """Count a site as in conflict where a file that the receipt names as added was edited.

    By its bytes such a file is not the patch's any more, and a diff of another layout, which adds the module elsewhere,
    may fit too: without the receipt the site looks as if nothing had ever been there.

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
    """Find what was edited inside lines of the patch, and in model files that were installed with it.

    Args:
        tree: The tree.
        sites: The sites where the patch can't be taken out as it is.
        kept: The receipt, which says what was written.

    Returns:
        The edits; None where nothing shows which lines are the patch's.
    """
    names = {site.site for site in sites}
    if not names <= {diff.site for diff in (kept.diffs if kept else ())}:
        return None
    if kept is None:
        return Edits((), b"")
    changes, written = [], []
    for path, installed in kept.models.items():
        if (content := tree.read(path)) is not None:
            changes.append(Change(path, content, None))
            written.append(Change(path, installed, content))
    for diff in kept.diffs:
        for file in diff.files if diff.site in names else ():
            content = tree.read(file.path)
            if content is None or not _is_left(file, content):
                continue
            taken = _without(tree, kept, diff, file, content)
            if taken is None:
                return None
            changes.append(Change(file.path, content, taken[0]))
            written.append(Change(file.path, taken[1], content))
    return Edits(tuple(changes), unified(change for change in written if change.before != change.after))


def refusal(tree: Tree, edits: Edits) -> ConflictError:
    """Make the error that shows the user's edits inside lines of the patch.

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
    """Whether a line that only the patch added still stands in a file; else somebody has put the file back."""
    if file.creates:
        return True
    added = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign == b"+"}
    known = {line.strip() for hunk in file.hunks for sign, line in hunk.lines if sign != b"+"}
    return any(b"DoubleAttention" in line for line in (added - known) & {line.strip() for line in content.split(b"\n")})


def _without(
    tree: Tree, kept: Receipt, diff: Diff, file: FileDiff, content: bytes
) -> tuple[bytes | None, bytes | None] | None:
    """A file without lines of the patch, and with them as they were added; None where nothing tells which they are."""
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
