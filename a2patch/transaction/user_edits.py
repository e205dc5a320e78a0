"""Edits that the user made inside lines of the patch: found, shown, and saved when the patch is taken out by force."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from a2patch.block import ADDITION
from a2patch.errors import ConflictError
from a2patch.patch import (
    Change,
    Diff,
    FileDiff,
    SiteStatus,
    Status,
    between,
    fit,
    fit_file,
    is_left,
    merge,
    outcome,
    unified,
)
from a2patch.transaction.files import explained, write_atomically
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree, read_file

_NAMED = re.compile("|".join(ADDITION.classes).encode())
NAME = "a2patch-your-edits{}.patch"


def recognize(tree: Tree, status: Status, kept: Receipt | None, shipped: Sequence[Diff]) -> Status:
    """Recognize the sites whose lines or files of the patch were edited.

    By its bytes an edited file is not the patch's any more, and a diff of another layout, which adds the module
    elsewhere, may fit too: without the receipt the site looks as if nothing had ever been there. Where there is no
    receipt, as in a clone of a patched tree, a file by our name is ours if the tree imports and registers our classes.

    Args:
        tree: The tree.
        status: What the bytes say by themselves.
        kept: The receipt; None where there is none.
        shipped: The diffs that add files, those most likely first.
    """
    written = kept.diffs if kept else ()
    named = {diff.site for diff in written}
    used = {"init", "tasks"} <= {site.site for site in status.sites if site.state == "applied"}
    known = [*written, *(diff for diff in shipped if used and diff.site not in named)]
    return replace(status, sites=tuple(_recognized(tree, site, known, kept) for site in status.sites))


def holds_ours(tree: Tree, site: SiteStatus, kept: Receipt | None) -> bool:
    """Return whether lines of the patch may stand in a site that no diff fits."""
    files = [file for diff in (kept.diffs if kept else ()) if diff.site == site.site for file in diff.files]
    if files:
        contents = [(file, tree.read(file.path)) for file in files]
        return any(content is not None and is_left(file, content, ADDITION.classes) for file, content in contents)
    return any(_NAMED.search(tree.read(misfit.path) or b"") for misfit in site.misfits)


def refusal(tree: Tree, edits: Iterable[Change]) -> ConflictError:
    """Make the error that shows the user's edits inside lines of the patch.

    Args:
        tree: The tree.
        edits: Each file as it would be without them, and as it is.
    """
    return ConflictError(
        "lines or files of ours have been edited since they were put in",
        path=tree.package,
        found=unified(edits, tree.package.name).decode("utf-8", "replace"),
        remedy="Nothing was written. `a2patch revert --force` takes ours out and saves these edits as a patch file in "
        "the current folder.",
    )


def keep(folder: Path, edits: bytes) -> Path:
    """Save the user's edits as a patch file, under a name that is free or has the same already.

    Args:
        folder: The folder to save them in.
        edits: A patch that puts them in again.

    Raises:
        AccessError: They can't be written there; nothing else was done.
    """
    tried = (folder / NAME.format(f"-{number}" if number else "") for number in count())
    place = next(place for place in tried if not os.path.lexists(place) or read_file(place) == edits)
    with explained(place, "Nothing was taken out: change into a folder where your edits can be saved."):
        write_atomically(place, edits)
    return place


def _recognized(tree: Tree, site: SiteStatus, known: Sequence[Diff], kept: Receipt | None) -> SiteStatus:
    """Return a site as edited by the user, or as it was where it is not."""
    for diff in known:
        there = [file for file in diff.files if tree.read(file.path) is not None]
        fits = [isinstance(fit_file(diff, file.reversed(), tree.read), FileDiff) for file in there]
        left = any(file.creates and not fit for file, fit in zip(there, fits, strict=True))
        if diff.site == site.site and (left or (there and site.state == "conflict")):
            return _edited(tree, site, diff, kept) or site
    return site


def _edited(tree: Tree, site: SiteStatus, diff: Diff, kept: Receipt | None) -> SiteStatus | None:
    """Return a site as edited; None where nothing of a diff is left in it, or nothing tells which lines are its."""
    back, edits = [], []
    for file in diff.files:
        content = tree.read(file.path)
        if content is None or not is_left(file, content, ADDITION.classes):
            continue
        taken = _without(tree, kept, diff, file, content)
        if taken is None:
            return None
        without, written = taken
        back.append(between(file.path, content, without))
        if written != content:
            edits.append(Change(file.path, written, content))
    missing = tuple(file for file in diff.files if file.creates and tree.read(file.path) is None)
    forth = fit(replace(diff, files=missing), tree.read) if missing else None
    if not edits:
        return None
    return SiteStatus(
        site.site,
        "edited",
        forth=forth if isinstance(forth, Diff) else None,
        back=replace(diff, files=tuple(back)),
        edits=tuple(edits),
    )


def _without(
    tree: Tree, kept: Receipt | None, diff: Diff, file: FileDiff, content: bytes
) -> tuple[bytes | None, bytes | None] | None:
    """A file without lines of the patch, and with them as they were added; None where nothing tells which they are."""
    back = fit_file(diff, file.reversed(), tree.read)
    if isinstance(back, FileDiff):
        return outcome(back, content), content
    if file.creates:
        return None, file.content
    base = kept.written.get(file.path) if kept and kept.release == tree.version else None
    if base is None:
        return None
    back = fit_file(diff, file.reversed(), {file.path: base}.get)
    if not isinstance(back, FileDiff):
        return None
    merged = merge(base, content, outcome(back, base) or b"")
    again = fit_file(diff, file, {file.path: merged}.get)
    return merged, outcome(again, merged) if isinstance(again, FileDiff) else merged
