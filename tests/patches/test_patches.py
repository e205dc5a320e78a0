"""The shipped diffs: made from the sources, plain enough for git, and right on the ends of every range."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from a2patch.patch import SITES, Diff, derive, numbers, series
from a2patch.patch.fit import fit, outcome
from a2patch.transaction import application, look_at, operations
from a2patch.tree import tree as trees
from patches import compatibility, releases
from tests.soak import matrix
from tests.support.command import ROOT
from tests.support.files import snapshot
from tests.support.trees import NEWEST, RELEASES

LOADED = series.load(series.folder())
RECORDED = ROOT / "patches" / "compatibility.json"
TRIALS = {trial.release: trial for trial in compatibility.load(RECORDED)[1]}


def ends() -> list[str]:
    """Return the first and the last release of every range that takes the same diffs."""
    groups = [list(group) for _, group in itertools.groupby(TRIALS.values(), key=lambda trial: trial.diffs)]
    found = [trial.release for group in groups for trial in (group[0], group[-1])]
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
    for tool in ROOT.glob("patches/*.py"):
        shutil.copy(tool, tmp_path / "patches")
    wanted = sorted(firsts | set(RELEASES), key=numbers)
    subprocess.run(
        [sys.executable, "-B", "-m", "patches.make", "--cache", cache, *wanted],
        cwd=tmp_path,
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
    assert look_at(trees.find(package)).status.state == "applied"


@pytest.mark.parametrize("release", ends())
def test_the_ends_of_a_range_are_patched_as_recorded_and_reverted(release: str, cache: Path, tmp_path: Path) -> None:
    package = releases.unpack(release, cache, tmp_path)
    before = snapshot(tmp_path)
    tree = trees.find(package)
    applied = operations.apply(tree, pytest.fail)
    assert {diff.site: diff.name for diff in applied.diffs} == TRIALS[release].diffs
    assert not any(diff.derived for diff in applied.diffs)
    operations.revert(tree, pytest.fail)
    assert snapshot(tmp_path) == before


def test_a_versioned_diff_does_what_the_syntax_says(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack(NEWEST, cache, tmp_path)
    tree = trees.find(package)
    versioned = {change.path: change.after for change in application.preview(tree).changes}
    for site in SITES:
        derived = fit(derive.diff(site, tree.read, derive.sources(series.folder()), NEWEST), tree.read)
        assert isinstance(derived, Diff)
        for file in derived.files:
            assert outcome(file, tree.read(file.path)) == versioned[file.path]


def test_what_is_recorded_covers_the_series_and_is_what_the_page_tells() -> None:
    document = json.loads(RECORDED.read_text("utf-8"))
    assert [each["count"] for each in document["ranges"]] == [
        len(compatibility.expand(each["releases"])) for each in document["ranges"]
    ]
    assert list(TRIALS) == sorted(set(TRIALS), key=numbers)
    assert {name for trial in TRIALS.values() for name in trial.diffs.values()} == {
        diff.name for site in SITES for diff in LOADED[site]
    }
    assert {trial.release: trial.fault for trial in TRIALS.values() if trial.fault} == {}
    assert {trial.release for trial in TRIALS.values() if not trial.patched} == set(releases.BROKEN)
    page = ROOT.joinpath("patches/COMPATIBILITY.md").read_text("utf-8")
    assert page.endswith("\n\n" + compatibility.table(TRIALS.values()))


def test_what_is_recorded_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    compatibility.save(tmp_path / "copy.json", *compatibility.load(RECORDED))
    assert tmp_path.joinpath("copy.json").read_bytes() == RECORDED.read_bytes()
    odd = ["8.0.9", "8.0.10", "8.0.12", "8.1.0", "8.1.0.post1", "8.1.1"]
    assert compatibility.compact(odd) == "8.0.9-8.0.10 8.0.12 8.1.0 8.1.0.post1 8.1.1"
    assert compatibility.expand(compatibility.compact(odd)) == odd


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_the_matrix_finds_again_what_is_recorded(cache: Path, tmp_path: Path) -> None:
    """A release that builds yolov8n as few others do; all of them take half an hour, by `make matrix`."""
    pytest.importorskip("torchvision")
    release = "8.3.0"
    command = [sys.executable, "-m", "tests.soak.matrix", "--out", str(tmp_path), release]
    environment = os.environ | {"A2PATCH_CACHE": str(cache)}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    place = tmp_path / "compatibility.json"
    assert compatibility.load(place)[1] == [TRIALS[release]]
    assert list(matrix.recorded(place)) == [release], "it would be tried again"
