"""Tell a journal that a command of ours left from one that somebody else put into a tree.

A journal says what to write, so whoever puts one into a tree that others clone could have any file of it replaced by
the next command. What makes a journal ours is that its command, planned anew from the bytes before it, comes to the
same bytes after it: no other change of the tree passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from a2patch.errors import A2PatchError
from a2patch.patch import is_model
from a2patch.transaction import files, journal, models, operations
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.journal import Step, digest
from a2patch.transaction.operations import Operation
from a2patch.tree import Tree, read_file

Contents = Mapping[str, bytes | None]


def check(tree: Tree, command: str, steps: Sequence[Step]) -> None:
    """Check that a command of this a2patch left a journal.

    Args:
        tree: The tree.
        command: The name of the command, by the journal.
        steps: What the journal says of each file.

    Raises:
        A2PatchError: None did: none comes from the bytes before it to those after it.
    """
    before: Contents = {step.path: step.before for step in steps}
    after = _contents_after(steps)
    if {step.path for step in steps} == {RECEIPT}:  # a verdict that is noted; a receipt is read with care anyway
        return
    if _leads(tree, before, {step.path: step.after for step in steps}, after):
        return
    # The way back of `apply`, whose result did not pass: its command leads from the bytes after to those before.
    wanted = {path: digest(content) for path, content in before.items()}
    if len(after) == len(steps) and _leads(tree, after, wanted, before):
        return
    raise A2PatchError(
        f"the journal of an interrupted `a2patch {command}` asks for bytes that this a2patch would not write",
        path=tree.path(journal.PATH),
        found="\n".join(step.path for step in steps),
        remedy="Nothing was written. If another version of a2patch was interrupted here, run that one. Else somebody "
        "put the journal there: delete that one file to keep the tree as it stands; `a2patch status` then tells how "
        "that is.",
    )


def _contents_after(steps: Sequence[Step]) -> Contents:
    """Return the bytes that files get, as far as they are still there: prepared, or in place already."""
    found: dict[str, bytes | None] = {}
    for step in steps:
        for place in (step.place, files.temporary(step.place)):
            content = read_file(place)
            if digest(content) == step.after:
                found[step.path] = content
    return found


def _leads(tree: Tree, before: Contents, wanted: Mapping[str, str | None], after: Contents) -> bool:
    """Return whether a command leads from some bytes to others."""
    return any(
        wanted == {change.path: digest(change.after) for change in made.writes} for made in _plans(tree, before, after)
    )


def _plans(tree: Tree, before: Contents, after: Contents) -> Iterator[Operation]:
    """Yield what each command would do to a tree as it was."""
    was = replace(tree, overlay=before)
    installed = {path: content for path, content in after.items() if _is_installed(path, content)}
    plans: Sequence[Callable[[], Operation]] = (
        lambda: operations.application(operations.survey(was)),
        lambda: operations.reversal(operations.survey(was), force=False),
        lambda: operations.reversal(operations.survey(was), force=True),
        lambda: operations.application(operations.survey(was, derivable=False), derivable=False),
        lambda: models.installation(was, {path: content or b"" for path, content in installed.items()}, force=True),
    )
    for plan in plans:
        with suppress(A2PatchError):  # a command that would refuse the tree did not leave this
            yield plan()


def _is_installed(path: str, content: bytes | None) -> bool:
    return content is not None and path != RECEIPT and is_model(path, content)
