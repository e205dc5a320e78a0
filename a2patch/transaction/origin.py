"""Tell a journal that a command of ours left from one that somebody else put into a tree.

A journal says what to write, so whoever puts one into a tree that others clone could have any file of it replaced by
the next command. What makes a journal ours is that its command, planned anew from the bytes before it, comes to the
same bytes after it: no other change of the tree passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from a2patch.errors import A2PatchError
from a2patch.patch import is_model
from a2patch.transaction import application, composition, files, journal, models, own_patch, peeling, receipt, reversal
from a2patch.transaction.composition import Operation
from a2patch.transaction.files import RECEIPT
from a2patch.transaction.journal import Step, digest
from a2patch.transaction.layers import Layer
from a2patch.transaction.survey import survey
from a2patch.tree import Tree, read_file

Contents = Mapping[str, bytes | None]
End = Literal["finish", "undo"]


def check(tree: Tree, command: str, steps: Sequence[Step]) -> frozenset[End]:
    """Check that a command of this a2patch left a journal, and tell to which ends it may be brought.

    A block of somebody's is never put in by that: only where its file is in the tree already, or comes with a2patch.

    Args:
        tree: The tree.
        command: The name of the command, by the journal.
        steps: What the journal says of each file.

    Returns:
        Whether it may be finished, undone, or both.

    Raises:
        A2PatchError: None did: none comes from the bytes before it to those after it.
    """
    before: Contents = {step.path: step.before for step in steps}
    after = _contents_after(steps)
    if {step.path for step in steps} == {RECEIPT}:  # a verdict that is noted; a receipt is read with care anyway
        return frozenset(("finish", "undo"))
    allowed: dict[End, Contents] = {"finish": after, "undo": before}
    ends = frozenset(end for end, contents in allowed.items() if _puts_in_what_is_known(tree, contents))
    if _leads(tree, before, {step.path: step.after for step in steps}, after):
        return ends
    # The way back of `apply`, whose result did not pass: its command leads from the bytes after to those before.
    wanted = {path: digest(content) for path, content in before.items()}
    if len(after) == len(steps) and _leads(tree, after, wanted, before):
        return ends
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
    layers = _layers(tree, after)
    wanted = [layer.block for layer in layers]
    classes = [name for block in wanted for name in block.names()]
    installed = {path: content for path, content in after.items() if _is_installed(path, content, classes)}
    plans: list[Callable[[], Operation]] = [
        lambda: application.application(survey(was)),
        lambda: reversal.reversal(survey(was), force=False),
        lambda: reversal.reversal(survey(was), force=True),
        lambda: application.application(survey(was, derivable=False), derivable=False),
        lambda: models.installation(was, {path: content or b"" for path, content in installed.items()}, force=True),
    ]
    if layers or _layers(tree, before):
        plans += [
            lambda: composition.composed(seen := survey(was), own_patch.left(seen.below), wanted, force=True),
            lambda: composition.composed(seen := survey(was), own_patch.put_in(seen.below), wanted),
            lambda: composition.composed(seen := survey(was), own_patch.out(seen.below), wanted, force=True),
        ]
    for plan in plans:
        with suppress(A2PatchError):  # a command that would refuse the tree did not leave this
            yield plan()


def _layers(tree: Tree, contents: Contents) -> tuple[Layer, ...]:
    """Return the blocks that a receipt among some files has; none where it can't be read."""
    content = contents.get(RECEIPT)
    with suppress(A2PatchError):
        return receipt.decode(tree, content).blocks if content is not None else ()
    return ()


def _puts_in_what_is_known(tree: Tree, contents: Contents) -> bool:
    return all(peeling.is_known(tree, layer) for layer in _layers(tree, contents))


def _is_installed(path: str, content: bytes | None, classes: Sequence[str]) -> bool:
    return content is not None and path != RECEIPT and is_model(path, content, classes)
