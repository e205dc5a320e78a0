"""What is noted of a patch beside the patch itself: our receipt, and the installer's `RECORD`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from a2patch import __version__
from a2patch.patch import Change, Diff
from a2patch.transaction import lock, receipt
from a2patch.transaction import record as installers
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree


def put_in(
    tree: Tree, kept: Receipt | None, diffs: Sequence[Diff], files: Mapping[str, bytes | None]
) -> tuple[Change, ...]:
    """Note that a patch is in.

    Args:
        tree: The tree.
        kept: The receipt of the patch that this one takes the place of.
        diffs: Every diff of the patch, as it fitted this tree.
        files: Every file of the patch with its new bytes, and those of an older patch that go.
    """
    added = {file.path for diff in diffs for file in diff.files if file.creates}
    written = {path: content for path, content in files.items() if content is not None and path not in added}
    models = {path: content for path, content in kept.models.items() if tree.read(path) is not None} if kept else {}
    known = {**files, **models, lock.IGNORE: lock.IGNORED, receipt.PATH: b""}
    records, changes = {}, []
    for path in installers.records(tree):
        before = tree.read(path) or b""
        bare = _without(before, path, kept)
        records[path] = installers.entries(bare, known, unhashed=(receipt.PATH,))
        changes.append(Change(path, before, installers.edit(bare, records[path])))
    new = Receipt(__version__, tree.version, tuple(diffs), "", written, records, models)
    return (*_real(changes), Change(receipt.PATH, tree.read(receipt.PATH), new.encode()))


def put_models(tree: Tree, kept: Receipt, models: Mapping[str, bytes]) -> tuple[Change, ...]:
    """Note that model files are installed beside the patch.

    Args:
        tree: The tree.
        kept: The receipt of the patch.
        models: The model files with their bytes, by path.
    """
    records, changes = dict(kept.records), []
    for path in installers.records(tree):
        before = tree.read(path) or b""
        learned = installers.entries(before, models, unhashed=())
        others = [entry for entry in records.get(path, ()) if entry.path not in models]
        records[path] = (*others, *(replace(entry, before=None) for entry in learned))
        changes.append(Change(path, before, installers.edit(before, learned)))
    new = replace(kept, records=records, models={**kept.models, **models})
    return (*_real(changes), Change(receipt.PATH, tree.read(receipt.PATH), new.encode()))


def take_out(tree: Tree, kept: Receipt | None, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Note that a patch is out.

    Args:
        tree: The tree.
        kept: Its receipt.
        changes: What takes the patch out.
    """
    found = []
    for path in installers.records(tree):
        before = tree.read(path) or b""
        after = _without(before, path, kept)
        if kept is None:  # only what shows by itself that it is of the patch
            gone = {change.path: None for change in changes if change.after is None}
            ours: dict[str, bytes | None] = {**gone, lock.IGNORE: None, receipt.PATH: None}
            after = installers.edit(after, installers.entries(after, ours, unhashed=()))
        found.append(Change(path, before, after))
    last = tree.read(receipt.PATH)
    return (*_real(found), *([] if last is None else [Change(receipt.PATH, last, None)]))


def _without(record: bytes, path: str, kept: Receipt | None) -> bytes:
    entries = kept.records.get(path, ()) if kept else ()
    return installers.edit(record, [entry.reversed() for entry in entries])


def _real(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.before != change.after]
