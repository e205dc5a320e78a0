"""Git is the witness: it makes the same bytes of our diffs as we do, takes them back, and takes what we print."""

from __future__ import annotations

import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a2patch.patch import SITES, Change, Diff, fit, merge, plan, series, unified
from a2patch.patch.lines import split_lines
from a2patch.patch.plan import Plan
from a2patch.tree import PACKAGE
from patches import releases
from tests.support.encodings import FORMS

LOADED = series.load(series.folder())
RELEASES = sorted({diff.release for site in SITES for diff in LOADED[site]} | {"8.4.190"})
Files = Mapping[str, bytes | None]

texts = st.lists(
    st.sampled_from([b"def a():\n", b"    one\n", b"\n", b"    two\r\n", b"caf\xe9\n", b"# \x00\r x\n", b"_x = 1\n"]),
    max_size=40,
)
files = st.one_of(
    st.none(), st.builds(lambda lines, cut: b"".join(lines).removesuffix(cut), texts, st.sampled_from([b"", b"\n"]))
)


def write(root: Path, contents: Files) -> None:
    for path, content in contents.items():
        place = root / PACKAGE / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        if content is not None:
            place.write_bytes(content)


def read(root: Path, paths: Mapping[str, object]) -> dict[str, bytes | None]:
    places = {path: root / PACKAGE / path for path in paths}
    return {path: place.read_bytes() if place.exists() else None for path, place in places.items()}


def git(root: Path, *command: str, stdin: bytes = b"") -> bytes:
    settings = ("-c", "core.autocrlf=false", "-c", "core.safecrlf=false")
    return subprocess.run(["git", *settings, *command], cwd=root, input=stdin, check=True, capture_output=True).stdout


def witness(root: Path, diff: bytes, changes: tuple[Change, ...]) -> None:
    """Let git apply a diff and take it back; both must give the bytes of the changes."""
    before = {change.path: change.before for change in changes}
    after = {change.path: change.after for change in changes}
    write(root, before)
    git(root, "apply", "--whitespace=nowarn", "-", stdin=diff)
    assert read(root, after) == after
    git(root, "apply", "--whitespace=nowarn", "--reverse", "-", stdin=diff)
    assert read(root, before) == before


def printed(root: Path, changes: tuple[Change, ...]) -> bytes:
    """What git itself prints for changes."""
    git(root, "init", "--quiet")
    write(root, {change.path: change.before for change in changes})
    git(root, "add", "--all", "--force")
    write(root, {change.path: change.after for change in changes})
    git(root, "add", "--all", "--force", "--intent-to-add")
    return git(root, "diff", "--no-renames", "--text")


def planned(contents: Files, release: str) -> Plan:
    """What the diffs of a release make of its files."""
    fitted: list[Diff] = []
    for site in SITES:
        newest = max((d for d in LOADED[site] if d.version <= Diff(site, release, ()).version), key=lambda d: d.version)
        found = fit(newest, contents.get)
        assert isinstance(found, Diff)
        fitted.append(found)
    return plan.plan(contents.get, fitted)


def released(release: str, cache: Path) -> dict[str, bytes]:
    """The files of a release that any of our diffs touches or stands beside."""
    with zipfile.ZipFile(releases.wheel(release, cache)) as archive:
        beside = re.compile(rf"{PACKAGE}/.*(v8|/nn/|/yolo11\.yaml|/yolo26\.yaml)|[^/]+/nn/")
        names = [name for name in archive.namelist() if beside.match(name)]
        return {name.removeprefix(f"{PACKAGE}/"): archive.read(name) for name in names}


@pytest.mark.parametrize("release", RELEASES)
def test_git_agrees_on_every_versioned_diff(cache: Path, tmp_path: Path, release: str) -> None:
    made = planned(released(release, cache), release)
    witness(tmp_path, b"".join(diff.text() for diff in made.diffs), made.changes)
    witness(tmp_path, unified(made.changes, PACKAGE), made.changes)
    assert unified(made.changes, PACKAGE) == printed(tmp_path, made.changes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("release", ["8.0.0", "8.1.0", "8.4.190"])
def test_git_agrees_on_any_form_of_the_bytes(cache: Path, tmp_path: Path, release: str, form: str) -> None:
    made = planned({path: FORMS[form](content) for path, content in released(release, cache).items()}, release)
    witness(tmp_path, b"".join(diff.text() for diff in made.diffs), made.changes)
    back = plan.plan(
        {change.path: change.after for change in made.changes}.get, [diff.reversed() for diff in made.diffs]
    )
    assert [(change.before, change.after) for change in back.changes] == [(c.after, c.before) for c in made.changes]
    witness(tmp_path, b"".join(diff.text() for diff in back.diffs), back.changes)
    assert unified(made.changes, PACKAGE) == printed(tmp_path, made.changes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files, files, files, files)
def test_git_takes_what_is_printed(
    one: bytes | None, two: bytes | None, three: bytes | None, four: bytes | None
) -> None:
    pairs = {"nn/tasks.py": (one, two), "cfg/a b.yaml": (three, four)}
    changes = tuple(Change(path, *pair) for path, pair in pairs.items() if pair[0] != pair[1])
    if changes:
        with tempfile.TemporaryDirectory() as folder:
            witness(Path(folder), unified(changes, PACKAGE), changes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 39), max_size=5), st.integers(2, 36), st.integers(0, 3))
def test_git_merges_the_same(edited: list[int], at: int, length: int) -> None:
    """Lines that the user edited, and lines of ours that go: where they touch, ours go all the same."""
    base = [b"%d\n" % number for number in range(40)]
    mine = b"".join(b"mine %d\n" % number if number in edited else line for number, line in enumerate(base))
    wanted = b"".join(base[:at] + base[at + length :])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in (("mine", mine), ("base", b"".join(base)), ("wanted", wanted)):
            root.joinpath(name).write_bytes(content)
        merged = git(root, "merge-file", "--stdout", "--quiet", "--theirs", "mine", "base", "wanted")
    assert split_lines(merge(b"".join(base), mine, wanted)) == split_lines(merged)
