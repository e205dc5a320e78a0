"""What lies in a folder, to be compared with what lies there later."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

Snapshot = dict[str, tuple[str, bytes]]
Contents = dict[str, bytes]


def snapshot(folder: Path, without: Collection[str] = ()) -> Snapshot:
    """Read everything below a folder: of each path whether it is a link, a folder or a file, and its bytes.

    Args:
        folder: The folder.
        without: Names of files and folders to leave out, with all that is in them.
    """
    found = {}
    for place in sorted(folder.rglob("*")):
        relative = place.relative_to(folder)
        if not without or not set(relative.parts) & set(without):
            kind = "link" if place.is_symlink() else "folder" if place.is_dir() else "file"
            found[relative.as_posix()] = (kind, place.read_bytes() if kind == "file" else b"")
    return found


def contents(folder: Path, without: Collection[str] = ()) -> Contents:
    """Read every file below a folder, as `snapshot` does."""
    return {path: content for path, (kind, content) in snapshot(folder, without).items() if kind == "file"}
