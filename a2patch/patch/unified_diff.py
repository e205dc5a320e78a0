"""Changes as the unified diff that `git diff` prints for them, worked out without git."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence

from a2patch.patch.diff import NO_NEWLINE, Change
from a2patch.patch.lines import Replacement, replacements, split_lines

_CONTEXT = 3
_SPACE = b" \t\r\n"
_LONGEST_HEADING = 80
_ODD = re.compile(rb"[\x00-\x1f\"\\\x7f]")


def unified(changes: Iterable[Change], package: str) -> bytes:
    """Write changes as one unified diff with three lines of context, which `git apply` takes beside the package folder.

    Args:
        changes: The files; each differs.
        package: The name of the package folder, which a fork may have changed.
    """
    return b"".join(_file(change, package) for change in sorted(changes, key=lambda change: change.path))


def _file(change: Change, package: str) -> bytes:
    old, new = (split_lines(content or b"") for content in (change.before, change.after))
    parts, shift = [_header(change, package)], 0
    for group in _hunks(replacements(old, new)):
        start, end = max(group[0].start - _CONTEXT, 0), min(group[-1].end + _CONTEXT, len(old))
        growth = sum(len(edit.lines) - (edit.end - edit.start) for edit in group)
        places = _range(start, end), _range(start + shift, end + shift + growth)
        parts += [b"@@ -%s +%s @@%s\n" % (*places, _heading(old[:start])), *_body(old, start, end, group)]
        shift += growth
    return b"".join(parts)


def _header(change: Change, package: str) -> bytes:
    old, new = (_quoted(os.fsencode(f"{side}/{package}/{change.path}")) for side in "ab")
    end = b"\t\n" if b" " in old else b"\n"  # as git ends a name that has a space in it
    lines = [b"diff --git %s %s\n" % (old, new)]
    if change.before is None:
        lines.append(b"new file mode 100644\n")
    elif change.after is None:
        lines.append(b"deleted file mode 100644\n")
    mode = b"" if None in (change.before, change.after) else b" 100644"
    lines.append(b"index %s..%s%s\n" % (_blob(change.before), _blob(change.after), mode))
    if change.before or change.after:
        lines.append(b"--- /dev/null\n" if change.before is None else b"--- " + old + end)
        lines.append(b"+++ /dev/null\n" if change.after is None else b"+++ " + new + end)
    return b"".join(lines)


def _quoted(name: bytes) -> bytes:
    """Return a name as git writes it: between quotation marks where some of its bytes could be misread."""
    escaped = _ODD.sub(lambda odd: b"\\%03o" % ord(odd[0]) if odd[0] not in b'"\\' else b"\\" + odd[0], name)
    return name if escaped == name else b'"%s"' % escaped


def _hunks(edits: Iterable[Replacement]) -> list[list[Replacement]]:
    """The edits that share a hunk, since their context would overlap or touch."""
    groups: list[list[Replacement]] = []
    for edit in edits:
        if groups and edit.start - groups[-1][-1].end <= 2 * _CONTEXT:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _body(old: Sequence[bytes], start: int, end: int, group: Sequence[Replacement]) -> Iterator[bytes]:
    for edit in group:
        yield from (_line(b" ", line) for line in old[start : edit.start])
        yield from (_line(b"-", line) for line in old[edit.start : edit.end])
        yield from (_line(b"+", line) for line in edit.lines)
        start = edit.end
    yield from (_line(b" ", line) for line in old[start:end])


def _line(operation: bytes, line: bytes) -> bytes:
    return operation + (line if line.endswith(b"\n") else line + b"\n" + NO_NEWLINE + b"\n")


def _range(start: int, end: int) -> bytes:
    """A range of lines as a hunk names it: counted from 1, or the line before it where it is empty."""
    count = end - start
    return b"%d" % (start + 1) if count == 1 else b"%d,%d" % (start + 1 if count else start, count)


def _heading(before: Sequence[bytes]) -> bytes:
    """What git names behind a hunk's range: the last line before it that begins with a letter, `_` or `$`."""
    found = next((line for line in reversed(before) if line[:1].isalpha() or line[:1] in (b"_", b"$")), b"")
    text = found[:_LONGEST_HEADING].rstrip(_SPACE)
    return b" " + text if text else b""


def _blob(content: bytes | None) -> bytes:
    """The short name that git has for some bytes; zeros for no file."""
    return b"0" * 7 if content is None else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()[:7].encode()
