"""Every byte that diffs would change in a tree, proved before anything is written; pure, bytes to bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from a2patch.block import ADDITION
from a2patch.errors import A2PatchError, ConflictError
from a2patch.patch import validate
from a2patch.patch.diff import Change, Diff, FileDiff
from a2patch.patch.fit import outcome
from a2patch.patch.status import Status, conflict, names_taken
from a2patch.tree import Reader, Tree


@dataclass(frozen=True)
class Plan:
    """Every byte that would change.

    Attributes:
        changes: The files.
        diffs: The diffs, fitted to this very tree.
    """

    changes: tuple[Change, ...]
    diffs: tuple[Diff, ...]


def differing(read: Reader, files: Mapping[str, bytes | None]) -> list[Change]:
    """Return the changes that bring files to their new bytes; a file that has them already is left out.

    Args:
        read: Gives the bytes of a file of the tree.
        files: The new bytes of each file, by its path; None for a file that goes.
    """
    changes = (Change(path, read(path), content) for path, content in files.items())
    return [change for change in changes if change.before != change.after]


def plan(read: Reader, diffs: Iterable[Diff]) -> Plan:
    """Work out what diffs that fit make of a tree, and prove that they can be taken back to the byte.

    Args:
        read: Gives the bytes of a file of the tree.
        diffs: Diffs as `fit` gives them, no two of one file.

    Raises:
        A2PatchError: They can't be taken back.
    """
    diffs = tuple(diffs)
    changes = tuple(_change(file, read(file.path)) for diff in diffs for file in diff.files)
    return Plan(changes, diffs)


def plan_apply(tree: Tree, status: Status) -> Plan:
    """Plan to put in everything that is not there, and prove that the result is what it should be.

    Args:
        tree: The tree.
        status: Its status.

    Raises:
        ConflictError: A site is as no diff expects it, a name is taken, or the result would not work.
    """
    if taken := names_taken(tree, status):
        raise ConflictError(
            "the tree already uses a name that the patch brings",
            path=tree.package,
            found="\n".join(taken),
            remedy="Nothing was written. Take these out by hand (or go back to the untouched release) and try again.",
        )
    conflicts = [site for site in status.sites if site.state == "conflict"]
    if conflicts:
        raise conflict(tree, conflicts)
    made = plan(tree.read, [site.forth for site in status.sites if site.forth])
    for site in status.sites:
        for file in site.back.files if site.back else ():
            if not file.creates and (fault := validate.fault(file.path, tree.read(file.path) or b"", ADDITION)):
                raise ConflictError(
                    f"a file that is patched already would not work: {fault}",
                    path=tree.path(file.path),
                    remedy="Nothing was written. Take the patch out with `a2patch revert`, and try again.",
                )
    return made


def plan_revert(tree: Tree, status: Status) -> Plan:
    """Plan to take out everything that the patch put in.

    Args:
        tree: The tree.
        status: Its status.

    Raises:
        ConflictError: Lines or files of the patch have been edited.
    """
    conflicts = [site for site in status.sites if site.state == "conflict"]
    if conflicts:
        raise conflict(tree, conflicts)
    return plan(tree.read, [site.back for site in status.sites if site.back])


def _change(file: FileDiff, before: bytes | None) -> Change:
    after = outcome(file, before)
    if after == before or outcome(file.reversed(), after) != before:
        raise A2PatchError(
            f"the plan for {file.path} can't be taken back to the byte",
            remedy="Nothing was written. Please report this, with the output of `a2patch status --json`.",
        )
    return Change(file.path, before, after)
