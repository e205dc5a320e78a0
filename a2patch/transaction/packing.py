"""How a receipt holds bytes, files and diffs as JSON, and how they are read from it with care."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

from a2patch.block import Addition
from a2patch.errors import A2PatchError
from a2patch.patch import SITES, Diff, may_touch, parse
from a2patch.transaction.files import RECEIPT
from a2patch.tree import Tree

LARGEST = 1 << 24  # no source file of upstream comes near it


def of(kind: type, value: Any) -> Any:
    """Return a value of a kind.

    Raises:
        TypeError: It is of another.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def text(content: bytes | None) -> str | None:
    """Return bytes as a text that has them all."""
    return None if content is None else content.decode("utf-8", "surrogateescape")


def content(packed: str | None) -> bytes | None:
    """Return the bytes that a text of `text` has."""
    return None if packed is None else of(str, packed).encode("utf-8", "surrogateescape")


def packed(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return files, each compressed."""
    return {path: base64.b64encode(zlib.compress(each)).decode() for path, each in files.items()}


def unpacked(packed: str) -> bytes:
    """Return the bytes of a file that was compressed.

    Raises:
        ValueError: They are too many, or it was not.
    """
    found = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), LARGEST)
    if len(found) == LARGEST:
        raise ValueError("it unpacks to more than any source file has")
    return found


def diff(tree: Tree, entry: dict[str, Any], added: Addition) -> Diff:
    """Read a diff.

    Args:
        tree: The tree whose receipt it is.
        entry: The diff, as the receipt has it.
        added: What the diff may be about.

    Raises:
        ValueError: It is none, or does what no diff of ours does.
        A2PatchError: It names a path outside the tree.
    """
    name, release, unified = (of(str, entry[key]) for key in ("site", "release", "text"))
    site = next((site for site in SITES if site == name), None)
    if site is None:
        raise ValueError(f"it names a diff {name}/{release}")
    try:
        files = parse(unified.encode("utf-8", "surrogateescape"), origin=RECEIPT)
    except A2PatchError as error:
        raise ValueError(error.message) from error
    for file in files:
        tree.path(file.path)
        if not may_touch(site, file, added):
            raise ValueError(f"it names a change that no diff of {site} makes: {file.path}")
    return Diff(site, release, files, of(bool, entry["derived"]))


def packed_diff(diff: Diff) -> dict[str, Any]:
    """Return a diff as a receipt has it."""
    return {"site": diff.site, "release": diff.release, "derived": diff.derived, "text": text(diff.text())}
