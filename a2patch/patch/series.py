"""The series: what one site has of versioned diffs, where they lie, and which of them a version names."""

from __future__ import annotations

from pathlib import Path

from a2patch.block import LATER, MODULE, blocks_folder
from a2patch.patch.diff import SITES, Diff, Site, numbers, parse
from a2patch.tree import Reader


def load(folder: Path) -> dict[Site, tuple[Diff, ...]]:
    """Load every series, each in the order of its releases.

    Args:
        folder: The folder that holds one folder a site.
    """
    return {site: load_site(folder / site, site) for site in SITES}


def load_site(folder: Path, site: Site) -> tuple[Diff, ...]:
    """Load the series of one site, in the order of its releases."""
    diffs = [
        Diff(site, file.stem, parse(file.read_bytes(), origin=f"patches/{MODULE}/{site}/{file.name}"))
        for file in folder.glob("*.diff")
    ]
    return tuple(sorted(diffs, key=lambda diff: diff.version))


def by_nearness(series: tuple[Diff, ...], version: str) -> list[Diff]:
    """Order a series by how likely each diff fits a version: the one that it names first, then its neighbours.

    Args:
        series: The diffs of one site, in the order of their releases.
        version: The version that a tree says it has; the newest is taken where it says nothing readable.
    """
    wanted = numbers(version)
    if not wanted or wanted[0] != 8:  # a fork's own numbering
        return list(reversed(series))
    named = max((at for at, diff in enumerate(series) if diff.version <= wanted), default=0)
    return sorted(series, key=lambda diff: (abs(series.index(diff) - named), -series.index(diff)))


def for_families(series: list[Diff], read: Reader) -> list[Diff]:
    """Leave out those that have no model for a later family of a tree; all are kept where that is every one.

    Args:
        series: The diffs of one site.
        read: Gives the bytes of a file of the tree.
    """
    wanted = {model.path for model in LATER if read(model.base) is not None}
    whole = [diff for diff in series if diff.site != "cfg" or wanted <= {file.path for file in diff.files}]
    return whole or series


def folder() -> Path:
    """Return where the diffs are: in the folder of their block."""
    return blocks_folder() / MODULE
