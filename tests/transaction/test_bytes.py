"""Whatever bytes, modes, names and disks a tree has, a patch goes in and comes out without harm."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from a2patch.errors import AccessError
from tests.support import miniature
from tests.support.command import ROOT, a2patch
from tests.support.encodings import BOM, FORMS
from tests.support.files import snapshot
from tests.support.miniature import act
from tests.support.trees import NEWEST

SITES = ("nn/tasks.py", "nn/modules/__init__.py")
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX")
root_on_linux = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts file systems"
)


@pytest.mark.parametrize("form", FORMS)
def test_the_bytes_of_a_file_come_back(package: Path, form: str) -> None:
    for path in SITES:
        place = package / path
        place.write_bytes(FORMS[form](place.read_bytes()))
    before = snapshot(package.parent)
    act("apply", package)
    for path in SITES:
        content = package.joinpath(path).read_bytes()
        assert b"DoubleAttention" in content
        assert content.startswith(BOM) == before[f"ultralytics/{path}"][1].startswith(BOM)
        if "CRLF" in form:
            assert content.count(b"\n") == content.count(b"\r\n")
    act("revert", package)
    assert snapshot(package.parent) == before


@posix
@pytest.mark.parametrize("mode", [0o444, 0o600, 0o755, 0o664])
def test_the_mode_of_a_file_is_kept(package: Path, mode: int) -> None:
    for path in SITES:
        package.joinpath(path).chmod(mode)
    for command in ("apply", "revert"):
        act(command, package)
        assert {stat.S_IMODE(package.joinpath(path).stat().st_mode) for path in SITES} == {mode}


@posix
def test_our_files_may_be_used_by_whoever_may_use_the_folder(package: Path) -> None:
    old = os.umask(0o077)
    try:
        package.joinpath("nn/modules").chmod(0o755)
        act("apply", package)
    finally:
        os.umask(old)
    assert stat.S_IMODE(package.joinpath("nn/modules/double_attention.py").stat().st_mode) == 0o644


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="only root may give files away")
def test_files_of_another_owner_stay_his_and_ours_become_his(package: Path) -> None:
    for place in (package, *package.rglob("*")):
        os.chown(place, 1234, 2345)
    act("apply", package)
    assert {(place.stat().st_uid, place.stat().st_gid) for place in package.rglob("*")} == {(1234, 2345)}
    act("revert", package)
    assert {(place.stat().st_uid, place.stat().st_gid) for place in package.rglob("*")} == {(1234, 2345)}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has them in the standard library")
def test_extended_attributes_are_kept(package: Path) -> None:
    tasks = package / "nn/tasks.py"
    try:
        os.setxattr(tasks, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has none")
    for command in ("apply", "revert"):
        act(command, package)
        assert os.getxattr(tasks, "user.note") == b"mine"


@posix
def test_a_hard_link_elsewhere_keeps_its_bytes(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(package.parent, other, copy_function=os.link)
    before = snapshot(other)
    for command in ("apply", "revert"):
        act(command, package)
        assert snapshot(other) == before


@pytest.mark.parametrize(
    "name", ["with spaces", "双重注意力", "100%s %d", "-rf", "a'b\"c;$(touch x)`", "x" * 200, "*[a]?", "new\nline", "#"]
)
def test_odd_paths(cache: Path, tmp_path: Path, name: str) -> None:
    if os.name == "nt" and set(name) & set('"*?\n'):
        pytest.skip("no such name there")
    root = tmp_path / name
    package = miniature.cut(NEWEST, cache, root, "checkout")
    before = snapshot(package)
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", name + "/clone", cwd=tmp_path) if (
        not name.startswith("-")
    ) else a2patch("apply", "--no-verify", f"--ultralytics-path={name}/clone", cwd=tmp_path)  # fmt: skip
    assert answer.code == 0, answer.err
    assert b"DoubleAttention" in package.joinpath("nn/tasks.py").read_bytes()
    act("revert", package)
    assert snapshot(package) == before
    assert [place.name for place in tmp_path.iterdir()] == [name]


@contextmanager
def mounted(kind: str, place: Path, *options: str) -> Iterator[Path]:
    place.mkdir()
    answer = subprocess.run(["mount", "-t", kind, "-o", ",".join(options), "none", str(place)], check=False)
    if answer.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@root_on_linux
def test_a_read_only_mount(cache: Path, tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", "size=4m") as disk:
        package = miniature.cut(NEWEST, cache, disk)
        before = snapshot(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for command, code in (("apply", 4), ("status", 0), ("diff", 0), ("revert", 0), ("recover", 0)):
            answer = a2patch(command, "--json", "--ultralytics-path", package)
            assert (command, answer.code) == (command, code)
            if code:
                assert "Read-only" in answer.document["error"]["message"]
                assert "`a2patch apply --copy-to DIR --ultralytics-path" in answer.document["error"]["remedy"]
        assert snapshot(disk) == before


@root_on_linux
@pytest.mark.parametrize("command", ["apply", "revert"])
def test_a_disk_that_fills_up_half_way(cache: Path, tmp_path: Path, command: str) -> None:
    """At every amount of space that is left, page by page, it is all or nothing."""
    outcomes = set()
    with mounted("tmpfs", tmp_path / "disk", "size=1m") as disk:
        package = miniature.cut(NEWEST, cache, disk)
        act("apply", package)
        states = {"revert": snapshot(disk)}
        act("revert", package)
        states["apply"] = snapshot(disk)
        if command == "revert":
            act("apply", package)
        before = states[command]
        ballast = disk / "ballast"
        for pages in range(0, 130, 9):
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * 4096)
            os.truncate(ballast, max(0, ballast.stat().st_size - pages * 4096))
            try:
                act(command, package)
                outcomes.add("done")
            except AccessError as error:
                outcomes.add(error.message)
            ballast.unlink()
            act("recover", package)
            now = snapshot(disk)
            assert now in states.values()
            if now != before:
                act("revert" if command == "apply" else "apply", package)
    assert outcomes == {"done", "can't be written: No space left on device"}


@root_on_linux
def test_no_inode_left(cache: Path, tmp_path: Path) -> None:
    outcomes = set()
    with mounted("tmpfs", tmp_path / "disk", "size=4m,nr_inodes=64") as disk:
        package = miniature.cut(NEWEST, cache, disk)
        before = snapshot(disk)
        for free in range(12):
            fillers = []
            try:
                for number in range(64):
                    filler = disk / f"filler{number}"
                    filler.touch()
                    fillers.append(filler)
            except OSError:
                pass
            for filler in fillers[:free]:
                filler.unlink()
            try:
                act("apply", package)
                outcomes.add("done")
            except AccessError:
                outcomes.add("refused")
            for filler in fillers[free:]:
                filler.unlink()
            act("revert", package)
            assert snapshot(disk) == before
    assert outcomes == {"done", "refused"}


QUOTA = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from tests.support.miniature import act
from a2patch.errors import AccessError
from a2patch.transaction import files
stage = files.stage
def limited(target, content):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        stage(target, content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
files.stage = limited
try:
    act("apply", Path(sys.argv[1]))
except AccessError as error:
    print(error.message)
"""


@posix
@pytest.mark.parametrize("limit", [100, 4_000, 50_000, 110_000])
def test_a_quota_hit_half_way_through_a_file(package: Path, limit: int) -> None:
    before = snapshot(package.parent)
    run = [sys.executable, "-c", QUOTA, str(package), str(limit)]
    answer = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "File too large" in answer.stdout
    assert snapshot(package.parent) == before
