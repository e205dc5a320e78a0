"""The receipt: what was applied to a tree, kept inside it, so that any later a2patch can take it back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from a2patch import __version__
from a2patch.block import ADDITION
from a2patch.errors import A2PatchError, ConflictError
from a2patch.patch import Change, Diff, is_model, is_path
from a2patch.transaction import layers, packing, record
from a2patch.transaction.files import IGNORE, IGNORED, RECEIPT
from a2patch.transaction.layers import Layer
from a2patch.transaction.record import Entry
from a2patch.tree import RECORD, Tree

FORMAT = 2


@dataclass(frozen=True)
class Receipt:
    """What was applied.

    Attributes:
        version: The a2patch that did it.
        release: What the tree said of its version then.
        diffs: The diffs as they fitted this very tree.
        verified: What verified the result, such as `"torch 2.9.0, Python 3.12.1"`; empty while nothing has.
        written: The new bytes of each file that was changed, by path: later edits show against them.
        records: The changes of the installer's `RECORD` files, by their path.
        models: The model files that were installed with `insert`, with their bytes, by path.
        blocks: The blocks that were put in upon the diffs, in order.
    """

    version: str
    release: str
    diffs: tuple[Diff, ...]
    verified: str = ""
    written: Mapping[str, bytes] = field(default_factory=dict)
    records: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    models: Mapping[str, bytes] = field(default_factory=dict)
    blocks: tuple[Layer, ...] = ()

    def encode(self) -> bytes:
        """The receipt as it is kept: JSON, bytes outside ASCII escaped; in the older format where it has no blocks."""
        document = {
            "format": FORMAT if self.blocks else 1,
            "a2patch": self.version,
            "release": self.release,
            "verified": self.verified,
            "diffs": [packing.packed_diff(diff) for diff in self.diffs],
            "written": packing.packed(self.written),
            "records": {
                path: [[entry.path, packing.text(entry.before), packing.text(entry.after)] for entry in entries]
                for path, entries in self.records.items()
            },
            "models": packing.packed(self.models),
        }
        if self.blocks:
            document["blocks"] = [layer.encode() for layer in self.blocks]
        return (json.dumps(document, indent=1) + "\n").encode()


def load(tree: Tree) -> Receipt | None:
    """Read the receipt of a tree, or None where there is none.

    Raises:
        A2PatchError: It is damaged, names what a2patch does not write, or a newer a2patch wrote it.
    """
    content = tree.read(RECEIPT)
    return None if content is None else decode(tree, content)


def decode(tree: Tree, content: bytes) -> Receipt:
    """Read the bytes of a receipt, as `load` does."""
    try:
        document = json.loads(content)
        if packing.of(int, document["format"]) > FORMAT:
            raise _newer(tree, packing.of(str, document["a2patch"]))
        return _read(tree, document)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise _damaged(tree, f"{type(error).__name__}: {error}") from error


def note_applied(
    tree: Tree,
    replaced: Receipt | None,
    diffs: Sequence[Diff],
    files: Mapping[str, bytes | None],
    blocks: Sequence[Layer] = (),
) -> tuple[Change, ...]:
    """Work out the new receipt, and the new lines of `RECORD`, of a patch that goes in.

    Args:
        tree: The tree.
        replaced: The receipt of the older patch that this one replaces, if there is one.
        diffs: Every diff of the patch, as it fitted this tree.
        files: Every file of the patch with its new bytes; None for a file of the older patch that is removed.
        blocks: The blocks that go in upon the patch.
    """
    diffs = tuple(diffs)
    every = (*diffs, *(diff for layer in blocks for diff in layer.diffs))
    created = {file.path for diff in every for file in diff.files if file.creates}
    written = {path: content for path, content in files.items() if content is not None and path not in created}
    models = replaced.models if replaced else {}
    models = {path: content for path, content in models.items() if tree.read(path) is not None}
    listed = {**files, **models, IGNORE: IGNORED, RECEIPT: b""}
    records, changes = {}, []
    for path in record.records(tree):
        before = tree.read(path) or b""
        bare = _without_patch(tree, before, path, replaced)
        records[path] = record.entries(bare, listed, (RECEIPT,), tree.package.name)
        changes.append(Change(path, before, record.edit(bare, records[path], tree.package.name)))
    new = Receipt(__version__, tree.version, diffs, "", written, records, models, tuple(blocks))
    return (*_real(changes), change(tree, new))


def note_models(tree: Tree, kept: Receipt, models: Mapping[str, bytes]) -> tuple[Change, ...]:
    """Work out the receipt, and the lines of `RECORD`, of a patch that model files are added to.

    Args:
        tree: The tree.
        kept: The receipt of the patch.
        models: The model files with their bytes, by path.
    """
    records, changes = dict(kept.records), []
    for path in record.records(tree):
        before = tree.read(path) or b""
        added = record.entries(before, models, (), tree.package.name)
        others = [entry for entry in records.get(path, ()) if entry.path not in models]
        records[path] = (*others, *(replace(entry, before=None) for entry in added))
        changes.append(Change(path, before, record.edit(before, added, tree.package.name)))
    return (*_real(changes), change(tree, replace(kept, records=records, models={**kept.models, **models})))


def note_reverted(tree: Tree, kept: Receipt | None, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Work out how the receipt, and the lines of `RECORD`, go with a patch that is taken out.

    Args:
        tree: The tree.
        kept: The receipt of the patch; None where there is none, and only the lines of files that go are certain.
        changes: What takes the patch out.
    """
    removed: dict[str, bytes | None] = {entry.path: None for entry in changes if entry.after is None}
    found = []
    for path in record.records(tree):
        before = tree.read(path) or b""
        after = _without_patch(tree, before, path, kept)
        if kept is None:
            gone = {**removed, IGNORE: None, RECEIPT: None}
            after = record.edit(after, record.entries(after, gone, (), tree.package.name), tree.package.name)
        found.append(Change(path, before, after))
    last = tree.read(RECEIPT)
    return (*_real(found), *([] if last is None else [Change(RECEIPT, last, None)]))


def change(tree: Tree, new: Receipt) -> Change:
    """Return the change that puts a receipt into a tree, in place of the one that may be there.

    Raises:
        ConflictError: A file is larger than what `load` takes.
    """
    for path, content in {**new.written, **new.models}.items():
        if len(content) >= packing.LARGEST:
            raise ConflictError(
                f"a file is larger than any that a2patch changes: {len(content):,} bytes, "
                f"at most {packing.LARGEST - 1:,}",
                path=tree.path(path),
                remedy="Nothing was written. Look at what is in it; no release of ultralytics comes near that.",
            )
    return Change(RECEIPT, tree.read(RECEIPT), new.encode())


def _without_patch(tree: Tree, content: bytes, path: str, kept: Receipt | None) -> bytes:
    """Return a `RECORD` without the lines of the patch; a receipt that came along with a copied tree is of another."""
    entries = kept.records.get(path, ()) if kept else ()
    return record.restore(content, record.are_about(entries, tree.package.name), tree.package.name)


def _real(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.before != change.after]


def _read(tree: Tree, document: dict[str, Any]) -> Receipt:
    version, release, verified = (packing.of(str, document[key]) for key in ("a2patch", "release", "verified"))
    written, models = (
        {path: packing.unpacked(content) for path, content in document.get(key, {}).items()}
        for key in ("written", "models")
    )
    records = {
        path: tuple(
            Entry(packing.of(str, entry[0]), packing.content(entry[1]), packing.content(entry[2])) for entry in entries
        )
        for path, entries in document.get("records", {}).items()
    }
    for path in (*written, *models):
        tree.path(path)
    if any(not RECORD.fullmatch(path) for path in records):
        raise ValueError("it names a RECORD that is none")
    blocks = layers.decode(tree, packing.of(list, document.get("blocks", [])))
    classes = [name for layer in blocks for name in layer.block.names()]
    if strange := [path for path, content in models.items() if not is_model(path, content, classes)]:
        raise ValueError(f"it names a file that `a2patch insert` does not make: {strange[0]}")
    diffs = tuple(packing.diff(tree, entry, ADDITION) for entry in document["diffs"])
    paths = {path for layer in blocks for path in layer.paths}
    listed = {entry.path for entries in records.values() for entry in entries} - {*models, IGNORE, RECEIPT}
    if strange := [path for path in (*written, *sorted(listed)) if path not in paths and not is_path(path)]:
        raise ValueError(f"it names a file that no patch of ours changes: {strange[0]}")
    return Receipt(version, release, diffs, verified, written, records, models, blocks)


def _newer(tree: Tree, version: str) -> A2PatchError:
    return A2PatchError(
        f"a2patch {version} patched this tree, and its receipt is newer than this a2patch can read",
        path=tree.path(RECEIPT),
        remedy=f"Install a2patch {version} or later, and try again.",
    )


def _damaged(tree: Tree, reason: str) -> A2PatchError:
    return A2PatchError(
        "the receipt is damaged",
        path=tree.path(RECEIPT),
        found=reason,
        remedy="Delete that one file and try again: a2patch then goes by what stands in the tree.",
    )
