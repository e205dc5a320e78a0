"""An installer's `RECORD`: the list by which pip and uv know what to remove.

It lies in the `.dist-info` folder next to an installed package and has a line for each file: path, hash, size. Once it
lists the files of the patch too, uninstalling or upgrading the package removes them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from a2patch.tree import PACKAGE, RECORD, Tree, recorded_path


@dataclass(frozen=True)
class Entry:
    """A change of one line of a `RECORD`.

    Attributes:
        path: The file that the line is about, relative to the package folder.
        before: The line as it was, without its ending; None where there was none.
        after: The line as it became, without its ending; None where it was removed.
    """

    path: str
    before: bytes | None
    after: bytes | None

    def reversed(self) -> Entry:
        """The entry that takes this one back."""
        return Entry(self.path, self.after, self.before)


def records(tree: Tree) -> tuple[str, ...]:
    """Find the `RECORD` files that list this package, relative to its folder; none where no installer put it there.

    A distribution may be called otherwise than its package, so what a `RECORD` lists decides, and not its name.
    """
    paths = (f"../{folder.name}/RECORD" for folder in sorted(tree.package.parent.glob("*.dist-info")))
    found = ((path, RECORD.fullmatch(path)) for path in paths)
    return tuple(path for path, named in found if named and tree.is_listed_in(named[1]))


def entries(
    record: bytes, files: Mapping[str, bytes | None], unhashed: Sequence[str], package: str = PACKAGE
) -> tuple[Entry, ...]:
    """Work out which lines of a `RECORD` change with some files.

    Args:
        record: Its bytes.
        files: The files that change, with their new bytes; None for a file that is removed.
        unhashed: Files that are listed without hash and size, since they may change again.
        package: The name of the package folder.
    """
    made = []
    for path, content in files.items():
        name = f"{package}/{path}"
        before = _find(record, name)
        after = None if content is None else _line(name, content, before, hashed=path not in unhashed)
        if before != after and not (before is None and content is None):
            made.append(Entry(path, before, after))
    return tuple(made)


def edit(record: bytes, wanted: Sequence[Entry], package: str = PACKAGE) -> bytes:
    """Change lines of a `RECORD`; a line that is not as an entry expects it is left alone.

    Args:
        record: Its bytes.
        wanted: The changes.
        package: The name of the package folder.
    """
    lines = record.splitlines(keepends=True)
    for entry in wanted:
        bare = [line.rstrip(b"\r\n") for line in lines]
        if entry.before is None:
            if entry.after is not None and _find(record, f"{package}/{entry.path}") is None:
                _insert(lines, bare, entry.after, f"{package}/__init__.py")
        elif entry.before in bare:
            at = bare.index(entry.before)
            if entry.after is None:
                del lines[at]
            else:
                lines[at] = entry.after + lines[at][len(bare[at]) :]
    return b"".join(lines)


def restore(record: bytes, changed: Sequence[Entry], package: str = PACKAGE) -> bytes:
    """Take changes of a `RECORD` back; a line that was changed again since is left alone.

    Args:
        record: Its bytes.
        changed: The changes.
        package: The name of the package folder.
    """
    return edit(record, [entry.reversed() for entry in changed], package)


def are_about(changed: Sequence[Entry], package: str) -> tuple[Entry, ...]:
    """Return the changes whose lines are about the file that they name: installers remove what is listed.

    Args:
        changed: The changes.
        package: The name of the package folder.
    """
    return tuple(
        entry
        for entry in changed
        for lines in [[line for line in (entry.before, entry.after) if line is not None]]
        if all(len(line.splitlines()) == 1 and recorded_path(line) == f"{package}/{entry.path}" for line in lines)
    )


def _insert(lines: list[bytes], bare: list[bytes], line: bytes, landmark: str) -> None:
    """Put a line before the one of the package's `__init__.py`: at the end, a last line may lack its ending."""
    at = next((at for at, text in enumerate(bare) if recorded_path(text) == landmark), 0)
    lines.insert(at, line + (b"\r\n" if any(text.endswith(b"\r\n") for text in lines) else b"\n"))


def _line(path: str, content: bytes, before: bytes | None, *, hashed: bool) -> bytes:
    algorithm = "sha256"
    named = re.search(rb",(sha\d+|md5)=[^,]*,\d*$", before or b"")
    if named and named[1].decode() in hashlib.algorithms_available:
        algorithm = named[1].decode()
    name = path if before is None else before.decode("utf-8", "surrogateescape").rsplit(",", 2)[0]
    if not hashed:
        return f"{name},,".encode("utf-8", "surrogateescape")
    if algorithm not in hashlib.algorithms_available:  # a hash that nobody can check is worse than none
        algorithm = "sha256"
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()
    return f"{name},{algorithm}={digest},{len(content)}".encode("utf-8", "surrogateescape")


def _find(record: bytes, path: str) -> bytes | None:
    name = path.encode("utf-8", "surrogateescape")
    for line in record.splitlines():
        if name in line and recorded_path(line) == path:
            return line
    return None
