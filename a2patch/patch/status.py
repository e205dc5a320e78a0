"""The state of a tree from its bytes, site by site, and which diff fits where; pure, nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from a2patch.block import ADDITION, MODEL, MODULE
from a2patch.errors import ConflictError
from a2patch.patch import ours, validate
from a2patch.patch.anchors import AnchorError
from a2patch.patch.diff import SITES, Change, Diff, FileDiff, Site
from a2patch.patch.fit import Misfit, explain, fit, fit_file, outcome, placed
from a2patch.patch.series import by_nearness, for_families
from a2patch.tree import Reader, Tree

SiteState = Literal["pristine", "applied", "edited", "partial", "conflict"]
State = Literal["pristine", "applied", "edited", "partial", "stale", "conflict", "foreign"]
Derive = Callable[[Site], Diff]

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
        site: The site.
        state: Its state; `"partial"` where some of its files are patched and others are not, `"edited"` where the user
            edited lines of the patch.
        forth: The diff, fitted to this tree, that puts in what is not there; None where nothing can be.
        back: The diff, fitted to this tree, that takes out what is there; None where nothing is.
        misfits: In a conflict, why each diff of the series does not fit.
        edits: Where lines of the patch were edited, each such file as it would be without those edits, and as it is.
    """

    site: Site
    state: SiteState
    forth: Diff | None = None
    back: Diff | None = None
    misfits: tuple[Misfit, ...] = ()
    edits: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Status:
    """What the bytes of a tree say.

    Attributes:
        sites: The state of each site.
        taken: Names of the patch that something of the tree's own has, a line each with its place.
    """

    sites: tuple[SiteStatus, ...]
    taken: tuple[str, ...] = ()

    @property
    def is_patched(self) -> bool:
        """Whether anything of the patch is there."""
        return any(site.back for site in self.sites)

    @property
    def complete(self) -> bool:
        """Whether the whole patch is there, edited or not."""
        return self.state in {"applied", "edited"}

    @property
    def edits(self) -> tuple[Change, ...]:
        """What the user made of lines of the patch, over all sites."""
        return tuple(change for site in self.sites for change in site.edits)

    @property
    def state(self) -> State:
        """The state of the tree, from those of its sites."""
        states = {site.site: site.state for site in self.sites}
        found = set(states.values())
        if not self.is_patched:
            return "foreign" if self.taken or "conflict" in found else "pristine"
        if "conflict" in found:
            return "conflict"
        if found <= {"applied", "edited"}:
            return "edited" if "edited" in found else "applied"
        # An upgrade puts back what upstream ships and leaves the files that only we have.
        upgraded = states["init"] == states["tasks"] == "pristine"
        return "stale" if upgraded and "partial" not in found else "partial"


def status_of(
    read: Reader,
    series: Mapping[Site, Sequence[Diff]],
    version: str,
    known: Sequence[Diff] = (),
    derive: Derive | None = None,
) -> Status:
    """Work out the state of a tree from its bytes.

    Args:
        read: Gives the bytes of a file of the tree.
        series: The versioned diffs of each site.
        version: What the tree says of its version: a hint.
        known: Diffs that a receipt says were applied; what is there is tried with these first.
        derive: Makes the diff of a site from the tree's own syntax, where no other fits; raises `AnchorError`.
    """
    sites = []
    for site in SITES:
        shipped = for_families(by_nearness(tuple(series[site]), version), read)
        sites.append(_site_status(read, site, [diff for diff in known if diff.site == site], shipped, derive))
    return Status(tuple(sites))


def names_taken(tree: Tree, status: Status) -> tuple[str, ...]:
    """Return the names of the patch that something of a tree's own has, a line each with its place.

    Args:
        tree: The tree.
        status: Its status.
    """
    patched = {file.path for site in status.sites if site.back for file in site.back.files} | set(tree.overlay)
    added = {file.path for site in status.sites if site.forth for file in site.forth.files}
    added |= {misfit.path for site in status.sites for misfit in site.misfits[:1]}
    return validate.taken_names(tree, ADDITION, patched, added)


def obstacles(status: Status) -> str:
    """Say what stands in the way of the patch, line by line: names that are taken, and what no diff expects."""
    conflicts = [site for site in status.sites if site.state == "conflict"]
    return "\n".join((*status.taken, *_explained(conflicts)))


def conflict(tree: Tree, sites: Sequence[SiteStatus]) -> ConflictError:
    """The error for sites that are as no diff expects them: where, what was expected, what stands there."""
    return ConflictError(
        f"the tree is not as any diff expects it: {', '.join(site.site for site in sites)}",
        path=tree.path(sites[0].misfits[0].path),
        found="\n".join(_explained(sites)),
        remedy="Nothing was written. Undo the edits named above and try again, or paste what is missing by hand.",
    )


def _site_status(
    read: Reader, site: Site, known: Sequence[Diff], shipped: Sequence[Diff], derive: Derive | None
) -> SiteStatus:
    for diff in known:
        if isinstance(back := fit(diff.reversed(), read), Diff) and ours.takes_only_ours(back, shipped, read):
            return SiteStatus(site, "applied", back=back)
    for diff in shipped:
        if isinstance(back := fit(diff.reversed(), read), Diff):
            return SiteStatus(site, "applied", back=back)
    misfits = []
    for diff in shipped:
        if isinstance(forth := _fit_and_prove(diff, read), Diff):
            return SiteStatus(site, "pristine", forth=forth)
        misfits.append(forth)
    for diff in (*known, *shipped):
        if halves := _halves(diff, read):
            return SiteStatus(site, "partial", *halves)
    if derive is not None:
        try:
            derived = derive(site)
        except (AnchorError, RecursionError) as error:  # the latter where it is nested too deeply to be searched
            misfits.append(Misfit(f"{site}/derived", _SITE_FILES[site], f"none could be derived: {error}"))
        else:
            if isinstance(back := fit(derived.reversed(), read), Diff):
                return SiteStatus(site, "applied", back=back)
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
            if after is not None and (fault := validate.fault(file.path, after, ADDITION)):
                return Misfit(diff.name, file.path, f"the patched file would not work: {fault}")
    return fitted


def _halves(diff: Diff, read: Reader) -> tuple[Diff, Diff] | None:
    """What is missing of a diff and what is there, where some of its files are patched and the others are not."""
    missing = [file for file in placed(diff, read) if isinstance(fit_file(diff, file, read), FileDiff)]
    gone = placed(diff.reversed(), read)
    there = [file.reversed() for file in gone if isinstance(fit_file(diff, file, read), FileDiff)]
    if not there or len(missing) + len(there) != len(gone):
        return None
    forth = fit(replace(diff, files=tuple(missing)), read)
    back = fit(replace(diff, files=tuple(file.reversed() for file in there)), read)
    return (forth, back) if isinstance(forth, Diff) and isinstance(back, Diff) else None


def _explained(sites: Sequence[SiteStatus]) -> list[str]:
    return [line for site in sites for misfit in _telling(site) for line in explain(site.site, misfit)]


def _telling(site: SiteStatus) -> list[Misfit]:
    """Of all the misfits, that of the diff which the version names, and why none could be derived."""
    return [site.misfits[0], *(misfit for misfit in site.misfits[1:] if misfit.diff.endswith("/derived"))]
