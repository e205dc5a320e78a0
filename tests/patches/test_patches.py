"""The shipped diffs: made from the sources, plain enough for git, and right on the ends of every range."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from a2patch.patch import SITES, Diff, derive, numbers, series
from a2patch.patch.fit import fit, outcome
from a2patch.transaction import operations
from a2patch.tree import tree as trees
from patches import releases
from tests.conftest import NEWEST, RELEASES, ROOT, snapshot

LOADED = series.load(series.folder())
TRIALS: list[dict[str, Any]] = json.loads(ROOT.joinpath("patches/compatibility.json").read_text())["trials"]


def ends() -> list[str]:
    """The first and the last release of every range that takes the same diffs."""
    ranges = [list(group) for _, group in itertools.groupby(TRIALS, key=lambda trial: trial["diffs"])]
    found = [trial["release"] for group in ranges for trial in (group[0], group[-1])]
    return [release for release in dict.fromkeys(found) if release not in releases.BROKEN]


@pytest.mark.parametrize("diff", [diff for site in SITES for diff in LOADED[site]], ids=lambda diff: diff.name)
def test_a_diff_is_what_the_sources_and_its_release_make(diff: Diff, cache: Path) -> None:
    with zipfile.ZipFile(releases.wheel(diff.release, cache)) as archive:
        names = set(archive.namelist())

        def read(path: str) -> bytes | None:
            return archive.read(f"ultralytics/{path}") if f"ultralytics/{path}" in names else None

        made = derive.diff(diff.site, read, derive.sources(series.folder()), diff.release)
    assert made.text() == diff.text()


def test_make_patches_writes_the_same_bytes_again(cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "patches" / "double_attention"
    firsts = {diff.release for site in SITES for diff in LOADED[site]}
    before = {path: content for path, content in snapshot(series.folder()).items() if path.endswith(".diff")}
    for path, (_, content) in snapshot(series.folder()).items():
        if not path.endswith(".diff") and "__pycache__" not in path and content:
            copy.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
            copy.joinpath(path).write_bytes(content)
    tmp_path.joinpath("a2patch").symlink_to(ROOT / "a2patch")
    for tool in ("__init__.py", "make.py", "releases.py"):
        shutil.copy(ROOT / "patches" / tool, tmp_path / "patches")
    wanted = sorted(firsts | set(RELEASES), key=numbers)
    subprocess.run(
        [sys.executable, "-B", tmp_path / "patches" / "make.py", "--cache", cache, *wanted],
        check=True,
        capture_output=True,
    )
    assert {path: content for path, content in snapshot(copy).items() if path.endswith(".diff")} == before


@pytest.mark.parametrize("release", RELEASES)
def test_git_takes_the_diffs_by_hand(release: str, cache: Path, tmp_path: Path) -> None:
    package = releases.unpack(release, cache, tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for site in SITES:
        newest = max((d for d in LOADED[site] if d.version <= numbers(release)), key=lambda d: d.version)
        place = series.folder() / site / f"{newest.release}.diff"
        subprocess.run(["git", "apply", place], cwd=tmp_path, check=True)
    assert operations.survey(trees.find(package)).status.state == "applied"


@pytest.mark.parametrize("release", ends())
def test_the_ends_of_a_range_are_patched_as_recorded_and_reverted(release: str, cache: Path, tmp_path: Path) -> None:
    package = releases.unpack(release, cache, tmp_path)
    before = snapshot(tmp_path)
    tree = trees.find(package)
    applied = operations.apply(tree, pytest.fail)
    recorded = next(trial for trial in TRIALS if trial["release"] == release)
    assert {diff.site: diff.name for diff in applied.diffs} == recorded["diffs"]
    assert not any(diff.derived for diff in applied.diffs)
    operations.revert(tree, pytest.fail)
    assert snapshot(tmp_path) == before


def test_a_versioned_diff_does_what_the_syntax_says(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack(NEWEST, cache, tmp_path)
    tree = trees.find(package)
    versioned = {change.path: change.after for change in operations.preview(tree).changes}
    for site in SITES:
        derived = fit(derive.diff(site, tree.read, derive.sources(series.folder()), NEWEST), tree.read)
        assert isinstance(derived, Diff)
        for file in derived.files:
            assert outcome(file, tree.read(file.path)) == versioned[file.path]


def test_every_recorded_release_works_or_is_broken_on_its_own() -> None:
    faults = {trial["release"]: trial["fault"] for trial in TRIALS if trial["fault"]}
    assert faults == {}
    assert {trial["release"] for trial in TRIALS if not trial["patched"]} == set(releases.BROKEN)
