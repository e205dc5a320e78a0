"""Fit a diff to a tree: where its lines stand there, and with which line endings; or why it does not fit."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from a2patch.block import LATER
from a2patch.patch import base_model
from a2patch.patch.diff import Diff, FileDiff, Hunk
from a2patch.patch.lines import split_lines
from a2patch.tree import Reader

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Misfit:
    """Why a diff does not fit a file.

    Attributes:
        diff: The name of the diff.
        path: The file, relative to the package folder.
        reason: What is wrong, in one sentence.
        hunk: The hunk that has no place, or not just one; None where it is about the file as such.
        lines: The lines of the file.
    """

    diff: str
    path: str
    reason: str
    hunk: Hunk | None = None
    lines: tuple[bytes, ...] = ()

    def closest(self) -> int:
        """The index of the line from which on the file comes closest to what the hunk expects."""
        expected = [_bare(line) for line in self.hunk.before] if self.hunk else []
        key = max(expected, key=len, default=b"").decode("utf-8", "replace")
        offset = next((at for at, line in enumerate(expected) if line.decode("utf-8", "replace") == key), 0)
        matcher = difflib.SequenceMatcher(b=key, autojunk=False)

        def likeness(at: int) -> tuple[int, float]:
            window = [_bare(line) for line in self.lines[at : at + len(expected)]]
            equal = sum(one == other for one, other in zip(expected, window, strict=False) if one.strip())
            matcher.set_seq1(window[offset].decode("utf-8", "replace") if offset < len(window) else "")
            return equal, matcher.ratio() if matcher.real_quick_ratio() > 0.5 else 0.0

        return max(range(max(len(self.lines), 1)), key=likeness)


def fit(diff: Diff, read: Reader) -> Diff | Misfit:
    """Fit a diff to a tree: its lines numbered as they stand there, its line endings those of the file.

    Context is matched exactly, line endings aside, and must stand in just one place.

    Args:
        diff: Any diff, or the reverse of one.
        read: Gives the bytes of a file of the tree.

    Returns:
        The fitted diff, or why it does not fit.
    """
    files = []
    for file in placed(diff, read):
        fitted = fit_file(diff, file, read)
        if isinstance(fitted, Misfit):
            return fitted
        files.append(fitted)
    return replace(diff, files=tuple(files))


def placed(diff: Diff, read: Reader) -> tuple[FileDiff, ...]:
    """Return the files of a diff that concern a tree: the model of a later family only where that family is, or was."""
    bases = {model.path: model.base for model in LATER}

    def concerns(file: FileDiff) -> bool:
        there = file.path not in bases or read(bases[file.path]) is not None
        return there or (file.deletes and read(file.path) is not None)

    return tuple(filter(concerns, diff.files))


def outcome(file: FileDiff, content: bytes | None) -> bytes | None:
    """What a fitted diff makes of a file.

    Args:
        file: The diff, fitted to these bytes.
        content: The bytes, None where there is no such file.
    """
    if file.deletes:
        return None
    lines = split_lines(content or b"")
    for hunk in reversed(file.hunks):
        lines[hunk.start - 1 : hunk.start - 1 + len(hunk.before)] = hunk.after
    return b"".join(lines)


def explain(site: str, misfit: Misfit) -> list[str]:
    """A misfit in lines: where, what was expected, what stands at the closest place, what to paste by hand."""
    if misfit.hunk is None:
        return [f"{site}: {misfit.path}: {misfit.reason} ({misfit.diff})"]
    line = misfit.closest()
    found = misfit.lines[line : line + len(misfit.hunk.before)]
    texts = {
        "expected": misfit.hunk.before,
        "found": found,
        "to paste by hand": [operation + text for operation, text in misfit.hunk.lines],
    }
    parts = [f"{site}: {misfit.path}, line {line + 1}: {misfit.reason} ({misfit.diff})"]
    for title, lines in texts.items():
        parts.append(f"  {title}:")
        parts.extend(f"    {text.decode('utf-8', 'replace').rstrip()}" for text in lines)
    return parts


def fit_file(diff: Diff, file: FileDiff, read: Reader) -> FileDiff | Misfit:
    """Fit one file of a diff, as `fit` does."""
    content = read(file.path)
    if file.creates:
        return _fit_new_file(diff, file, content, read)
    if content is None:
        return Misfit(diff.name, file.path, "there is no such file")
    lines = split_lines(content)
    hunks = []
    for hunk in file.hunks:
        places = _places(hunk, lines)
        if len(places) != 1:
            return _misfit(diff, file, hunk, lines, places)
        hunks.append(_fit_hunk(hunk, lines, places[0]))
    if file.deletes and b"".join(hunks[0].before) != content:
        return Misfit(diff.name, file.path, "it has been edited since it was added")
    if [hunk.start for hunk in hunks] != sorted(hunk.start for hunk in hunks):
        return Misfit(diff.name, file.path, "the places stand in another order")
    return FileDiff(file.path, tuple(hunks), file.creates, file.deletes)


def _fit_new_file(diff: Diff, file: FileDiff, content: bytes | None, read: Reader) -> FileDiff | Misfit:
    if content is not None:
        return Misfit(diff.name, file.path, "there is a file of that name already")
    beside = _neighbour(file.path)
    neighbour = read(beside)
    if neighbour is None:
        if diff.derived:  # from this very tree, which has none
            return file
        return Misfit(diff.name, file.path, f"its neighbour {beside} is not there")
    if beside.endswith(".yaml") and not diff.derived and not _alike(file, neighbour):
        return Misfit(diff.name, file.path, f"{beside}, which it is made from, is not as upstream's")
    if not neighbour.split(b"\n", 1)[0].endswith(b"\r"):
        return file
    hunks = (Hunk(1, tuple((operation, line.rstrip(b"\r\n") + b"\r\n") for operation, line in file.hunks[0].lines)),)
    return FileDiff(file.path, hunks, creates=True)


def _alike(file: FileDiff, base: bytes) -> bool:
    """Whether a model file of ours is the base of the tree with our rows in it."""
    added = b"".join(line for _, line in file.hunks[0].lines)
    return base_model.alike(*(content.decode("utf-8", "replace") for content in (added, base)))


def _neighbour(path: str) -> str:
    """The file of upstream that a new one belongs next to, and takes its line endings from."""
    folder, _, name = path.rpartition("/")
    if name.endswith(".yaml"):
        return f"{folder}/{name.split('_')[0]}.yaml"
    return "nn/modules.py" if folder == "nn" else f"{folder}/__init__.py"


def _places(hunk: Hunk, lines: list[bytes]) -> list[int]:
    """Where the lines that a hunk expects stand, line endings aside."""
    wanted = [_bare(line) for line in hunk.before]
    if not wanted:  # no diff of ours, since it may go anywhere
        return []
    first, size = wanted[0], len(wanted)
    starts = (at for at, line in enumerate(lines) if first in line and _bare(line) == first)
    return [at for at in starts if [_bare(line) for line in lines[at : at + size]] == wanted]


def _fit_hunk(hunk: Hunk, lines: list[bytes], place: int) -> Hunk:
    at = place
    exact = lines[place : place + len(hunk.before)] == hunk.before
    fitted = []
    for operation, line in hunk.lines:
        if operation == b"+":
            near = lines[max(at - 1, 0)]
            fitted.append((operation, line if exact else _bare(line) + _ending(near)))
        else:
            fitted.append((operation, lines[at]))
            at += 1
    return Hunk(place + 1, tuple(fitted))


def _bare(line: bytes) -> bytes:
    return line.removeprefix(BOM).rstrip(b"\r\n")


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _misfit(diff: Diff, file: FileDiff, hunk: Hunk, lines: list[bytes], places: list[int]) -> Misfit:
    reason = "no place has the lines that it expects"
    if places:
        reason = f"its place is not unique: lines {', '.join(str(place + 1) for place in places)}"
    return Misfit(diff.name, file.path, reason, hunk, tuple(lines))
