"""A diff as data: read from a unified diff, reversed, and written as one; and a file, before and after."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from a2patch.errors import A2PatchError
from a2patch.patch.lines import replacements, split_lines
from a2patch.tree import PACKAGE

Site = Literal["module", "init", "tasks", "cfg"]
SITES: tuple[Site, ...] = ("module", "init", "tasks", "cfg")

NO_NEWLINE = b"\\ No newline at end of file"
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


@dataclass(frozen=True)
class Change:
    """One file, before and after.

    Attributes:
        path: POSIX path relative to the package folder.
        before: Its bytes, None where there is no such file.
        after: Its bytes afterwards, None where there is no such file then.
    """

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Hunk:
    """A run of lines and what becomes of them.

    Attributes:
        start: First line that the hunk covers, counted from 1; a hint, the content decides.
        lines: Pairs of an operation (`b" "` context, `b"-"` taken out, `b"+"` put in) and a line with its ending.
    """

    start: int
    lines: tuple[tuple[bytes, bytes], ...]

    @property
    def before(self) -> list[bytes]:
        """The lines that must stand in the file."""
        return [line for operation, line in self.lines if operation != b"+"]

    @property
    def after(self) -> list[bytes]:
        """The lines that stand there afterwards."""
        return [line for operation, line in self.lines if operation != b"-"]

    def reversed(self) -> Hunk:
        """The hunk that takes this one back."""
        swap = {b" ": b" ", b"-": b"+", b"+": b"-"}
        return replace(self, lines=tuple((swap[operation], line) for operation, line in self.lines))


@dataclass(frozen=True)
class FileDiff:
    """What a diff does to one file.

    Attributes:
        path: POSIX path relative to the package folder.
        hunks: The changes, in the order of the file.
        creates: Whether there is no such file before.
        deletes: Whether there is no such file afterwards.
    """

    path: str
    hunks: tuple[Hunk, ...]
    creates: bool = False
    deletes: bool = False

    def reversed(self) -> FileDiff:
        """The diff that takes this one back."""
        hunks, shift = [], 0
        for hunk in self.hunks:
            hunks.append(replace(hunk.reversed(), start=hunk.start + shift))
            shift += len(hunk.after) - len(hunk.before)
        return FileDiff(self.path, tuple(hunks), creates=self.deletes, deletes=self.creates)

    @property
    def content(self) -> bytes:
        """The complete file, where this diff creates it."""
        return b"".join(line for hunk in self.hunks for line in hunk.after)

    def text(self) -> bytes:
        """This as a unified diff that `git apply` takes at the root of a clone."""
        name = f"{PACKAGE}/{self.path}".encode()
        chunks = [
            b"--- /dev/null\n" if self.creates else b"--- a/%s\n" % name,
            b"+++ /dev/null\n" if self.deletes else b"+++ b/%s\n" % name,
        ]
        shift = 0
        for hunk in self.hunks:
            old, new = len(hunk.before), len(hunk.after)
            start = 0 if self.creates else hunk.start
            target = 0 if self.deletes else hunk.start + shift
            chunks.append(b"@@ -%d,%d +%d,%d @@\n" % (start, old, target, new))
            for operation, line in hunk.lines:
                chunks.append(operation + line)
                if not line.endswith(b"\n"):
                    chunks.append(b"\n" + NO_NEWLINE + b"\n")
            shift += new - old
        return b"".join(chunks)


@dataclass(frozen=True)
class Diff:
    """One versioned diff of one site.

    Attributes:
        site: One of `SITES`.
        release: The first release that it fits.
        files: What it does, file by file.
        derived: Whether it was made from a tree's own syntax, for want of a versioned one that fits.
    """

    site: Site
    release: str
    files: tuple[FileDiff, ...]
    derived: bool = False

    @property
    def name(self) -> str:
        """How this diff is called in messages, such as `tasks/8.0.98`."""
        return f"{self.site}/{'derived' if self.derived else self.release}"

    @cached_property
    def version(self) -> tuple[int, ...]:
        """The release as numbers, to compare with."""
        return numbers(self.release)

    def reversed(self) -> Diff:
        """The diff that takes this one back."""
        return replace(self, files=tuple(file.reversed() for file in self.files))

    def text(self) -> bytes:
        """This as a unified diff that `git apply` takes at the root of a clone."""
        return b"".join(file.text() for file in self.files)


def between(path: str, before: bytes, after: bytes | None) -> FileDiff:
    """Return the diff, without context, that makes one version of a file of another.

    Args:
        path: POSIX path relative to the package folder.
        before: The one version.
        after: The other; None where there is no such file afterwards.
    """
    old, hunks = split_lines(before), []
    if after is None:
        return FileDiff(path, (Hunk(1, tuple((b"-", line) for line in old)),), deletes=True)
    for edit in replacements(old, split_lines(after)):
        gone, come = old[edit.start : edit.end], edit.lines
        hunks.append(Hunk(edit.start + 1, (*((b"-", line) for line in gone), *((b"+", line) for line in come))))
    return FileDiff(path, tuple(hunks))


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, to compare with: `"8.3.0"` gives `(8, 3, 0)`."""
    return tuple(int(part[:18]) for part in re.findall(r"\d+", version)[:3])


def parse(text: bytes, *, origin: str) -> tuple[FileDiff, ...]:
    """Read a unified diff.

    Args:
        text: The diff, as `git diff` writes it, with paths below `a/ultralytics/` and `b/ultralytics/`.
        origin: Where it comes from, for messages.

    Raises:
        A2PatchError: It is no such diff, or it names a path outside the package.
    """
    files: list[FileDiff] = []
    lines = text.split(b"\n")
    at = 0
    while at < len(lines):
        if not lines[at].startswith(b"--- "):
            at += 1
            continue
        if at + 1 >= len(lines) or not lines[at + 1].startswith(b"+++ "):
            raise _malformed(origin, at)
        old, new = (_path(line[4:], origin, at) for line in lines[at : at + 2])
        hunks, at = _hunks(lines, at + 2, origin)
        path = new or old
        if path is None or not hunks:
            raise _malformed(origin, at)
        files.append(FileDiff(path, hunks, creates=old is None, deletes=new is None))
    if not files:
        raise _malformed(origin, 0)
    return tuple(files)


def _path(field: bytes, origin: str, at: int) -> str | None:
    name = field.rstrip(b"\r").split(b"\t")[0].decode("utf-8", "replace")
    if name == "/dev/null":
        return None
    prefix, _, path = name.partition(f"/{PACKAGE}/")
    if prefix not in {"a", "b"} or not path:
        raise _malformed(origin, at)
    return path


def _hunks(lines: list[bytes], at: int, origin: str) -> tuple[tuple[Hunk, ...], int]:
    hunks = []
    while at < len(lines) and (header := _HUNK.match(lines[at])):
        old, new = int(header[2] or 1), int(header[4] or 1)
        body: list[tuple[bytes, bytes]] = []
        at += 1
        while old or new or (at < len(lines) and lines[at].startswith(b"\\")):
            operation = lines[at][:1] if at < len(lines) else b""
            if operation == b"\\" and body:
                body[-1] = body[-1][0], body[-1][1][:-1]
            elif operation in {b" ", b"-", b"+"}:
                body.append((operation, lines[at][1:] + b"\n"))
                old -= operation != b"+"
                new -= operation != b"-"
            else:
                raise _malformed(origin, at)
            at += 1
        if not body:
            raise _malformed(origin, at - 1)
        hunks.append(Hunk(int(header[1]) or int(header[3]), tuple(body)))
    return tuple(hunks), at


def _malformed(origin: str, at: int) -> A2PatchError:
    return A2PatchError(
        f"{origin}, line {at + 1}: no unified diff of an {PACKAGE} tree",
        remedy="Install a2patch anew, or make the diffs anew with `make patches`.",
    )
