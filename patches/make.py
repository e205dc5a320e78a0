"""Make the versioned diffs anew: walk the releases, and write for each site the fewest diffs that cover them all.

    python -m patches.make [--cache FOLDER] [RELEASE …]

The cache is the one of the tests: A2PATCH_CACHE, else a folder below the user's cache folder.

The models in `double_attention/sources` are written by hand. Their rows are what `a2patch insert --base yolo11 --at P3
--at P4` writes, and what each scale costs is what `a2patch verify yolo11_A2.yaml` prints under the newest release.

A new diff is made where no earlier one of the series makes of a release what its own syntax tree says should be made.
"""

from __future__ import annotations

import argparse
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from a2patch.patch import SITES, Diff, Misfit, derive, fit
from a2patch.patch.anchors import AnchorError
from a2patch.patch.series import by_nearness
from a2patch.tree import PACKAGE
from patches import releases

PATCHES = Path(__file__).resolve().parent / "double_attention"


def main() -> None:
    """Read the arguments, walk, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=releases.cache(os.environ), help="where released wheels are kept")
    parser.add_argument("releases", nargs="*", help="the releases to cover; every one of the registry if none is named")
    arguments = parser.parse_args()
    series = walk(arguments.releases or releases.published(), arguments.cache)
    for site in SITES:
        shutil.rmtree(PATCHES / site, ignore_errors=True)
        (PATCHES / site).mkdir()
        for diff in series[site]:
            (PATCHES / site / f"{diff.release}.diff").write_bytes(diff.text())
    print(", ".join(f"{len(series[site])} {site}" for site in SITES))


def walk(wanted: list[str], cache: Path) -> dict[str, list[Diff]]:
    """Make the series that cover these releases, oldest first."""
    added = derive.sources(PATCHES)
    series: dict[str, list[Diff]] = {site: [] for site in SITES}
    for release in wanted:
        with zipfile.ZipFile(releases.wheel(release, cache)) as archive:
            read = reader(archive)
            try:
                made = [replace(derive.diff(site, read, added, release), derived=False) for site in SITES]
            except AnchorError as error:
                if release not in releases.BROKEN:
                    raise SystemExit(f"{release}: {error}") from error
                print(f"{release}: passed over: {releases.BROKEN[release]}", flush=True)
                continue
            for diff in made:
                reason = unfit(series[diff.site], diff, read)
                if reason:
                    series[diff.site].append(diff)
                    print(f"{diff.name}: {reason}", flush=True)
    return series


def unfit(series: list[Diff], wanted: Diff, read: Callable[[str], bytes | None]) -> str:
    """Why the diff that a2patch would choose does not do what is wanted of a release; empty if it does."""
    target = fit(wanted, read)
    assert isinstance(target, Diff)
    reasons = []
    for diff in by_nearness(tuple(series), wanted.release):
        fitted = fit(diff, read)
        if isinstance(fitted, Misfit):
            reasons.append(f"{fitted.path}: {fitted.reason} ({diff.name})")
        elif outcome(fitted) == outcome(target):
            return ""
        else:
            return f"{diff.name} fits, but makes something else of it"
    return reasons[0] if reasons else "the first"


def outcome(diff: Diff) -> list[tuple[str, list[tuple[int, bytes]]]]:
    """What a fitted diff puts where, whatever its context."""
    made = []
    for file in diff.files:
        added = []
        for hunk in file.hunks:
            at = hunk.start
            for operation, line in hunk.lines:
                if operation == b"+":
                    added.append((at, line))
                else:
                    at += 1
        made.append((file.path, added))
    return made


def reader(archive: zipfile.ZipFile) -> Callable[[str], bytes | None]:
    """Read files of the package inside a wheel."""
    names = set(archive.namelist())
    return lambda path: archive.read(f"{PACKAGE}/{path}") if f"{PACKAGE}/{path}" in names else None


if __name__ == "__main__":
    main()
