"""Plan, status and reverse: pure, bytes to bytes; nothing is written into the tree here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from a2patch.block import MODEL, MODULE
from a2patch.errors import A2PatchError, ConflictError
from a2patch.patch import validate
from a2patch.patch.anchors import AnchorError
from a2patch.patch.fit import Misfit, explain, fit, fit_file, outcome
from a2patch.patch.series import SITES, Diff, FileDiff, by_nearness
from a2patch.tree import PACKAGE, Reader, Tree, scratch

Derive = Callable[[str], Diff]

_SITE_FILES = {
    "module": f"nn/modules/{MODULE}.py",
    "init": "nn/modules/__init__.py",
    "tasks": "nn/tasks.py",
    "cfg": f"cfg/models/v8/{MODEL}",
}


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


def status(
    read: Reader,
    series: Mapping[str, Sequence[Diff]],
    version: str,
    known: Sequence[Diff] = (),
    derive: Derive | None = None,
) -> Status:
    """Work out the state of a tree from its bytes.

    Args:
        read: Gives the bytes of a file of the tree.
        series: The versioned diffs of each site.
        version: What the tree says of its version: a hint.
        known: Diffs that a receipt says were applied; tried first.
        derive: Makes the diff of a site from the tree's own syntax, where no other fits; raises `AnchorError`.
    """
    candidates = {
        site: [*(diff for diff in known if diff.site == site), *by_nearness(tuple(series[site]), version)]
        for site in SITES
    }
    return Status(tuple(_site_status(read, site, candidates[site], derive) for site in SITES))


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
    ours = {file.path for site in status.sites if site.back for file in site.back.files} | set(tree.overlay)
    bring = {file.path for site in status.sites if site.forth for file in site.forth.files}
    bring |= {misfit.path for site in status.sites for misfit in site.misfits[:1]}
    validate.names_are_free(tree, ours, bring)
    conflicts = [site for site in status.sites if site.state == "conflict"]
    if conflicts:
        raise conflict(tree, conflicts)
    made = plan(tree.read, [site.forth for site in status.sites if site.forth])
    for site in status.sites:
        for file in site.back.files if site.back else ():
            if not file.creates and (fault := validate.fault(file.path, tree.read(file.path) or b"")):
                raise ConflictError(
                    f"a file that is patched already would not work: {fault}",
                    path=tree.path(file.path),
                    remedy="Nothing was written. Take the patch out with `a2patch revert`, and try again.",
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


def unified(changes: Iterable[Change]) -> bytes:
    """Changes as one unified diff, three lines of context, as `git diff` shows them in a clone."""
    changes = tuple(changes)
    with scratch() as repository:
        repository.write({f"{PACKAGE}/{change.path}": change.before for change in changes})
        repository.stage()
        repository.write({f"{PACKAGE}/{change.path}": change.after for change in changes})
        return repository.diff()


def _site_status(read: Reader, site: str, candidates: Sequence[Diff], derive: Derive | None) -> SiteStatus:
    for diff in candidates:
        if isinstance(back := fit(diff.reversed(), read), Diff):
            return SiteStatus(site, "applied", back=back)
    misfits = []
    for diff in candidates:
        if isinstance(forth := _fit_and_prove(diff, read), Diff):
            return SiteStatus(site, "pristine", forth=forth)
        misfits.append(forth)
    for diff in candidates:
        if halves := _halves(diff, read):
            return SiteStatus(site, "partial", *halves)
    if derive is not None:
        try:
            derived = derive(site)
        except AnchorError as error:
            misfits.append(Misfit(f"{site}/derived", _SITE_FILES[site], f"none could be derived: {error}"))
        else:
            if isinstance(forth := _fit_and_prove(derived, read), Diff):
                return SiteStatus(site, "pristine", forth=forth)
            misfits.append(forth)
    return SiteStatus(site, "conflict", misfits=tuple(misfits))


def _fit_and_prove(diff: Diff, read: Reader) -> Diff | Misfit:
    """Fit a diff, and see that what it makes would work: the same context may stand in a file that it breaks."""
    fitted = fit(diff, read)
    if isinstance(fitted, Diff):
        for file in fitted.files:
            after = outcome(file, read(file.path))
            if after is not None and (fault := validate.fault(file.path, after)):
                return Misfit(diff.name, file.path, f"the patched file would not work: {fault}")
    return fitted


def _halves(diff: Diff, read: Reader) -> tuple[Diff, Diff] | None:
    """What is missing of a diff and what is there, where some of its files are patched and the others are not."""
    missing = [file for file in diff.files if isinstance(fit_file(diff, file, read), FileDiff)]
    there = [file for file in diff.files if isinstance(fit_file(diff, file.reversed(), read), FileDiff)]
    if not there or len(missing) + len(there) != len(diff.files):
        return None
    forth = fit(replace(diff, files=tuple(missing)), read)
    back = fit(replace(diff, files=tuple(file.reversed() for file in there)), read)
    return (forth, back) if isinstance(forth, Diff) and isinstance(back, Diff) else None


def conflict(tree: Tree, sites: Sequence[SiteStatus]) -> ConflictError:
    """The error for sites that are as no diff expects them: where, what was expected, what stands there."""
    parts = [line for site in sites for misfit in _telling(site) for line in explain(site.site, misfit)]
    return ConflictError(
        f"the tree is not as any diff expects it: {', '.join(site.site for site in sites)}",
        path=tree.path(sites[0].misfits[0].path),
        found="\n".join(parts),
        remedy="Nothing was written. Undo the edits named above and try again, or paste what is missing by hand.",
    )


def _telling(site: SiteStatus) -> list[Misfit]:
    """Of all the misfits, that of the diff which the version names, and why none could be derived."""
    return [site.misfits[0], *(misfit for misfit in site.misfits[1:] if misfit.diff.endswith("/derived"))]
