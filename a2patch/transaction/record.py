"""An installer's `RECORD`: the list by which pip and uv know what to remove.

It stands in the `.dist-info` folder beside an installed package, a line a file: path, hash, size. Once it lists our
files too, uninstalling or upgrading the package takes them along.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from a2patch.tree import PACKAGE, RECORD, Tree

_LANDMARK = f"{PACKAGE}/__init__.py"


@dataclass(frozen=True)
class Entry:
    """One line of a `RECORD` that we changed or added.

    Attributes:
        path: Of the file that the line is about, relative to the package folder.
        before: The line as it was, without its ending; None where there was none.
        after: The line as we left it, without its ending; None where there is none.
    """

    path: str
    before: bytes | None
    after: bytes | None

    def reversed(self) -> Entry:
        """The entry that takes this one back."""
        return Entry(self.path, self.after, self.before)


def records(tree: Tree) -> tuple[str, ...]:
    """The `RECORD` files that list this very package, relative to its folder; empty for one that nobody installed."""
    found = []
    for folder in sorted(tree.package.parent.glob(f"{PACKAGE}*.dist-info")):
        path = f"../{folder.name}/RECORD"
        if RECORD.fullmatch(path) and _find((tree.read(path) or b""), _LANDMARK) is not None:
            found.append(path)
    return tuple(found)


def entries(record: bytes, files: Mapping[str, bytes | None], unhashed: Sequence[str]) -> tuple[Entry, ...]:
    """Work out what a `RECORD` has to learn.

    Args:
        record: Its bytes.
        files: The files that change, with their new bytes; None for one that goes.
        unhashed: Files of ours that may change without the `RECORD` being told.
    """
    made = []
    for path, content in files.items():
        before = _find(record, f"{PACKAGE}/{path}")
        after = None if content is None else _line(path, content, before, hashed=path not in unhashed)
        if before != after and not (before is None and content is None):
            made.append(Entry(path, before, after))
    return tuple(made)


def edit(record: bytes, wanted: Sequence[Entry]) -> bytes:
    """Change lines of a `RECORD`; a line that no longer is as an entry says is left alone.

    Args:
        record: Its bytes.
        wanted: What to change.
    """
    lines = record.splitlines(keepends=True)
    for entry in wanted:
        bare = [line.rstrip(b"\r\n") for line in lines]
        if entry.before is None:
            if entry.after is not None and _find(record, f"{PACKAGE}/{entry.path}") is None:
                _insert(lines, bare, entry.after)
        elif entry.before in bare:
            at = bare.index(entry.before)
            if entry.after is None:
                del lines[at]
            else:
                lines[at] = entry.after + lines[at][len(bare[at]) :]
    return b"".join(lines)


def _insert(lines: list[bytes], bare: list[bytes], line: bytes) -> None:
    """Put a line before that of the package's own `__init__.py`, which is never the last without an ending for long."""
    at = next((at for at, text in enumerate(bare) if _path(text) == _LANDMARK), 0)
    lines.insert(at, line + (b"\r\n" if any(text.endswith(b"\r\n") for text in lines) else b"\n"))


def _line(path: str, content: bytes, before: bytes | None, *, hashed: bool) -> bytes:
    algorithm = "sha256"
    if before is not None and (named := re.search(rb",(sha\d+|md5)=[^,]*,\d*$", before)):
        algorithm = named[1].decode()
    name = f"{PACKAGE}/{path}" if before is None else before.decode("utf-8", "surrogateescape").rsplit(",", 2)[0]
    if not hashed:
        return f"{name},,".encode("utf-8", "surrogateescape")
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()
    return f"{name},{algorithm}={digest},{len(content)}".encode("utf-8", "surrogateescape")


def _find(record: bytes, path: str) -> bytes | None:
    name = path.encode()
    for line in record.splitlines():
        if name in line and _path(line) == path:
            return line
    return None


def _path(line: bytes) -> str:
    row = next(csv.reader([line.decode("utf-8", "replace")]), [])
    return row[0].replace("\\", "/") if row else ""
