"""Plan, status and reverse: pure, bytes to bytes; nothing is written into the tree here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from a2patch import proof
from a2patch.errors import A2PatchError, ConflictError
from a2patch.git import scratch
from a2patch.series import SITES, Diff, FileDiff, Hunk, by_nearness
from a2patch.tree import PACKAGE, Tree

BOM = b"\xef\xbb\xbf"

Reader = Callable[[str], "bytes | None"]


@dataclass(frozen=True)
class Misfit:
    """Why a diff does not fit a file.

    Attributes:
        diff: The name of the diff.
        path: The file, relative to the package folder.
        reason: What is wrong, in one sentence.
        hunk: The hunk that has no place, or not just one; None where it is the whole file.
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


@dataclass(frozen=True)
class SiteStatus:
    """What the bytes of one site say.

    Attributes:
        site: One of `SITES`.
        state: `"pristine"`, `"applied"`, `"partial"` (some of its files) or `"conflict"`.
        forth: The diff, fitted to this tree, that puts in what is not there; None where nothing can be.
        back: The diff, fitted to this tree, that takes out what is there; None where nothing is.
        misfits: In a conflict, why each diff of the series does not fit.
    """

    site: str
    state: str
    forth: Diff | None = None
    back: Diff | None = None
    misfits: tuple[Misfit, ...] = ()


@dataclass(frozen=True)
class Status:
    """What the bytes of a tree say.

    Attributes:
        sites: The state of each site.
    """

    sites: tuple[SiteStatus, ...]

    @property
    def state(self) -> str:
        """`"pristine"`, `"applied"`, `"stale"`, `"partial"` or `"conflict"`."""
        states = {site.site: site.state for site in self.sites}
        if "conflict" in states.values():
            return "conflict"
        if len(set(states.values())) == 1:
            return states["tasks"]
        # An upgrade puts back what upstream ships and leaves the files that only we have.
        upgraded = states["init"] == states["tasks"] == "pristine"
        return "stale" if upgraded and "partial" not in states.values() else "partial"


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
class Plan:
    """Every byte that would change.

    Attributes:
        changes: The files.
        diffs: The diffs, fitted to this very tree.
    """

    changes: tuple[Change, ...]
    diffs: tuple[Diff, ...]


def status(read: Reader, series: Mapping[str, Sequence[Diff]], version: str, known: Sequence[Diff] = ()) -> Status:
    """Work out the state of a tree from its bytes.

    Args:
        read: Gives the bytes of a file of the tree.
        series: The versioned diffs of each site.
        version: What the tree says of its version: a hint.
        known: Diffs that a receipt says were applied; tried first.
    """
    return Status(tuple(_site_status(read, site, _order(site, series, version, known)) for site in SITES))


def plan(read: Reader, diffs: Iterable[Diff]) -> Plan:
    """Work out what diffs that fit make of a tree, and prove that they can be taken back to the byte.

    Args:
        read: Gives the bytes of a file of the tree.
        diffs: Diffs as `fit` gives them.

    Raises:
        A2PatchError: Git does not agree with the plan.
    """
    diffs = tuple(diffs)
    if not diffs:
        return Plan((), ())
    before = {file.path: read(file.path) for diff in diffs for file in diff.files}
    patch = b"".join(diff.text() for diff in diffs)
    with scratch() as repository:
        repository.write({f"{PACKAGE}/{path}": content for path, content in before.items()})
        repository.apply(patch)
        after = {path: repository.read(f"{PACKAGE}/{path}") for path in before}
        repository.apply(patch, "--reverse")
        again = {path: repository.read(f"{PACKAGE}/{path}") for path in before}
    if again != before or any(after[path] == before[path] for path in before):
        raise A2PatchError(
            "the plan can't be taken back to the byte",
            remedy="Nothing was written. Please report this, with the output of `a2patch status --json`.",
        )
    changes = tuple(Change(path, before[path], after[path]) for path in before)
    return Plan(changes, diffs)


def plan_apply(tree: Tree, status: Status) -> Plan:
    """Plan to put in everything that is not there, and prove that the result is what it should be.

    Args:
        tree: The tree.
        status: Its status.

    Raises:
        ConflictError: A site is as no diff expects it, a name is taken, or the result would not work.
    """
    conflicts = [site for site in status.sites if site.state == "conflict"]
    if conflicts:
        raise conflict(tree, conflicts)
    ours = {file.path for site in status.sites if site.back for file in site.back.files}
    proof.names_are_free(tree, ours)
    made = plan(tree.read, [site.forth for site in status.sites if site.forth])
    after = {change.path: change.after for change in made.changes}
    proof.works(
        tree, {path: content for path in after | dict.fromkeys(ours) if (content := after.get(path) or tree.read(path))}
    )
    return made


def plan_revert(tree: Tree, status: Status) -> Plan:
    """Plan to take out everything of ours.

    Args:
        tree: The tree.
        status: Its status.

    Raises:
        ConflictError: Our own lines or files have been edited.
    """
    conflicts = [site for site in status.sites if site.state == "conflict"]
    if conflicts:
        raise conflict(tree, conflicts)
    return plan(tree.read, [site.back for site in status.sites if site.back])


def unified(changes: Iterable[Change]) -> str:
    """Changes as one unified diff, three lines of context, as `git diff` shows them in a clone."""
    changes = tuple(changes)
    with scratch() as repository:
        repository.write({f"{PACKAGE}/{change.path}": change.before for change in changes})
        repository.stage()
        repository.write({f"{PACKAGE}/{change.path}": change.after for change in changes})
        return repository.diff().decode("utf-8", "replace")


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
    for file in diff.files:
        fitted = _fit_file(diff, file, read)
        if isinstance(fitted, Misfit):
            return fitted
        files.append(fitted)
    return Diff(diff.site, diff.release, tuple(files))


def _order(site: str, series: Mapping[str, Sequence[Diff]], version: str, known: Sequence[Diff]) -> list[Diff]:
    return [diff for diff in known if diff.site == site] + by_nearness(tuple(series[site]), version)


def _site_status(read: Reader, site: str, candidates: Sequence[Diff]) -> SiteStatus:
    misfits = []
    for diff in candidates:
        if isinstance(back := fit(diff.reversed(), read), Diff):
            return SiteStatus(site, "applied", back=back)
    for diff in candidates:
        if isinstance(forth := fit(diff, read), Diff):
            return SiteStatus(site, "pristine", forth=forth)
        misfits.append(forth)
    for diff in candidates:
        back_files = [_fit_file(diff, file.reversed(), read) for file in diff.files]
        forth_files = [_fit_file(diff, file, read) for file in diff.files]
        there = tuple(file for file in back_files if isinstance(file, FileDiff))
        missing = tuple(file for file in forth_files if isinstance(file, FileDiff))
        if there and len(there) + len(missing) == len(diff.files):
            forth, back = (Diff(site, diff.release, files) for files in (missing, there))
            return SiteStatus(site, "partial", forth, back)
    return SiteStatus(site, "conflict", misfits=tuple(misfits))


def _fit_file(diff: Diff, file: FileDiff, read: Reader) -> FileDiff | Misfit:
    content = read(file.path)
    if file.creates:
        return _fit_new_file(diff, file, content, read)
    if content is None:
        return Misfit(diff.name, file.path, "there is no such file")
    lines = _lines(content)
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
    neighbour = read(_neighbour(file.path))
    if neighbour is None:
        return Misfit(diff.name, file.path, f"its neighbour {_neighbour(file.path)} is not there")
    if not neighbour.split(b"\n", 1)[0].endswith(b"\r"):
        return file
    hunks = (Hunk(1, tuple((operation, line[:-1] + b"\r\n") for operation, line in file.hunks[0].lines)),)
    return FileDiff(file.path, hunks, creates=True)


def _neighbour(path: str) -> str:
    """The upstream file beside which a new one belongs, and whose line endings it takes."""
    folder, _, name = path.rpartition("/")
    if name.endswith(".yaml"):
        return f"{folder}/{name.split('_')[0]}.yaml"
    return f"{folder}/__init__.py"


def _lines(content: bytes) -> list[bytes]:
    """The lines as git sees them: a carriage return alone ends none."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def _places(hunk: Hunk, lines: list[bytes]) -> list[int]:
    """Where the lines that a hunk expects stand: to the byte, else with other line endings."""
    for normal in (bytes, _bare):
        wanted = [normal(line) for line in hunk.before]
        have = [normal(line) for line in lines]
        size = len(wanted)
        places = [at for at, line in enumerate(have) if line == wanted[0] and have[at : at + size] == wanted]
        if places:
            return places
    return []


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


def conflict(tree: Tree, sites: Sequence[SiteStatus]) -> ConflictError:
    """The error for sites that are as no diff expects them: where, what was expected, what stands there."""
    parts = [line for site in sites for line in _explain(site.site, site.misfits[0])]
    return ConflictError(
        f"the tree is not as any diff expects it: {', '.join(site.site for site in sites)}",
        path=tree.path(sites[0].misfits[0].path),
        found="\n".join(parts),
        remedy="Nothing was written. Undo the edits named above and try again, or paste what is missing by hand.",
    )


def _explain(site: str, misfit: Misfit) -> list[str]:
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
