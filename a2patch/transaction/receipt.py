"""The receipt: what was applied to a tree, kept inside it, so that any later a2patch can take it back."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from a2patch.errors import A2PatchError
from a2patch.patch import SITES, Diff, parse
from a2patch.transaction.files import FOLDER
from a2patch.transaction.record import Entry
from a2patch.tree import RECORD, Tree

PATH = f"{FOLDER}/receipt.json"
FORMAT = 1
_LARGEST = 1 << 24  # no source file of upstream comes near it


@dataclass(frozen=True)
class Receipt:
    """What was applied.

    Attributes:
        version: The a2patch that did it.
        release: What the tree said of its version then.
        diffs: The diffs as they fitted this very tree.
        verified: What verified the result, such as `"torch 2.9.0, Python 3.12.1"`; empty while nothing has.
        written: The bytes that each changed file was given, by path: what edits made since are told by.
        records: What the installer's `RECORD` files learned, by path.
        models: The model files that were installed besides, with their bytes, by path.
    """

    version: str
    release: str
    diffs: tuple[Diff, ...]
    verified: str = ""
    written: Mapping[str, bytes] = field(default_factory=dict)
    records: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    models: Mapping[str, bytes] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The receipt as it is kept: JSON, bytes outside ASCII escaped."""
        document = {
            "format": FORMAT,
            "a2patch": self.version,
            "release": self.release,
            "verified": self.verified,
            "diffs": [
                {
                    "site": diff.site,
                    "release": diff.release,
                    "derived": diff.derived,
                    "text": _text(diff.text()),
                }
                for diff in self.diffs
            ],
            "written": _packed(self.written),
            "records": {
                path: [[entry.path, _text(entry.before), _text(entry.after)] for entry in entries]
                for path, entries in self.records.items()
            },
            "models": _packed(self.models),
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def load(tree: Tree) -> Receipt | None:
    """Read the receipt of a tree, or None where there is none.

    Raises:
        A2PatchError: It is damaged, names a path outside the tree, or a newer a2patch wrote it.
    """
    content = tree.read(PATH)
    if content is None:
        return None
    try:
        document = json.loads(content)
        if _of(int, document["format"]) > FORMAT:
            raise _newer(tree, _of(str, document["a2patch"]))
        return _read(tree, document)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise _damaged(tree, f"{type(error).__name__}: {error}") from error


def _read(tree: Tree, document: dict[str, Any]) -> Receipt:
    version, release, verified = (_of(str, document[key]) for key in ("a2patch", "release", "verified"))
    written, models = (
        {path: _unpacked(content) for path, content in document.get(key, {}).items()} for key in ("written", "models")
    )
    records = {
        path: tuple(Entry(_of(str, entry[0]), _bytes(entry[1]), _bytes(entry[2])) for entry in entries)
        for path, entries in document.get("records", {}).items()
    }
    for path in (*written, *records, *models):
        tree.path(path)
    if any(not RECORD.fullmatch(path) for path in records):
        raise ValueError("it names a RECORD that is none")
    if any(not path.endswith(".yaml") for path in models):
        raise ValueError("it names a model file that is none")
    diffs = tuple(_diff(tree, entry) for entry in document["diffs"])
    return Receipt(version, release, diffs, verified, written, records, models)


def _diff(tree: Tree, entry: dict[str, Any]) -> Diff:
    site, release, text = (_of(str, entry[key]) for key in ("site", "release", "text"))
    if site not in SITES:
        raise ValueError(f"it names a diff {site}/{release}")
    try:
        files = parse(text.encode("utf-8", "surrogateescape"), origin=PATH)
    except A2PatchError as error:
        raise ValueError(error.message) from error
    for file in files:
        tree.path(file.path)
        if RECORD.fullmatch(file.path):
            raise ValueError("it names a diff of a RECORD")
    return Diff(site, release, files, _of(bool, entry["derived"]))


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else _of(str, text).encode("utf-8", "surrogateescape")


def _packed(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: base64.b64encode(zlib.compress(content)).decode() for path, content in files.items()}


def _unpacked(text: str) -> bytes:
    content = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), _LARGEST)
    if len(content) == _LARGEST:
        raise ValueError("it unpacks to more than any source file has")
    return content


def _newer(tree: Tree, version: str) -> A2PatchError:
    return A2PatchError(
        f"a2patch {version} patched this tree, and its receipt is newer than this a2patch can read",
        path=tree.path(PATH),
        remedy=f"Install a2patch {version} or later, and try again.",
    )


def _damaged(tree: Tree, reason: str) -> A2PatchError:
    return A2PatchError(
        "the receipt is damaged",
        path=tree.path(PATH),
        found=reason,
        remedy="Delete that one file and try again: a2patch then goes by what stands in the tree.",
    )
