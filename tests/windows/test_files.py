"""Files that Windows keeps from being replaced or removed: read-only ones, open ones, and those with long names."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from a2patch.errors import AccessError
from a2patch.transaction import files
from a2patch.tree import remove, remove_folder
from tests.support import miniature
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.miniature import act
from tests.support.trees import NEWEST

SITES = ("nn/tasks.py", "nn/modules/__init__.py")


def test_read_only_files_are_patched_and_stay_read_only(package: Path) -> None:
    for path in SITES:
        package.joinpath(path).chmod(stat.S_IREAD)
    before = snapshot(package.parent)
    for verb in ("apply", "revert"):
        act(verb, package)
        assert not any(package.joinpath(path).stat().st_mode & stat.S_IWRITE for path in SITES)
    assert snapshot(package.parent) == before


def test_our_own_read_only_files_are_removed(package: Path) -> None:
    before = snapshot(package.parent)
    act("apply", package)
    package.joinpath("nn/modules/double_attention.py").chmod(stat.S_IREAD)
    act("revert", package)
    assert snapshot(package.parent) == before


def test_a_read_only_file_that_can_t_be_replaced_is_read_only_again(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = package / "nn/tasks.py"
    tasks.chmod(stat.S_IREAD)
    files.stage(tasks, b"new")

    def refused(source: Path, target: Path) -> None:
        assert target.stat().st_mode & stat.S_IWRITE, "Windows would have refused"
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(files, "PATIENCE_S", 0.0)
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        files.put(tasks)
    assert not tasks.stat().st_mode & stat.S_IWRITE


def test_a_folder_with_read_only_files_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "made" / "below" / "file"
    place.parent.mkdir(parents=True)
    place.touch()
    place.chmod(stat.S_IREAD)
    remove_folder(tmp_path / "made")
    assert not place.parent.parent.exists()
    remove(place)


def test_a_file_that_is_held_open_for_a_moment_is_waited_for(package: Path) -> None:
    with package.joinpath("nn/tasks.py").open("rb") as held:
        timer = threading.Timer(0.5, held.close)
        timer.start()
        act("apply", package)
        assert held.closed
    assert b"DoubleAttention" in package.joinpath("nn/tasks.py").read_bytes()


def test_a_file_that_stays_open_stops_the_command_and_all_is_as_it_was(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE_S", 0.1)
    before = snapshot(package.parent)
    with package.joinpath("nn/tasks.py").open("rb"):
        with pytest.raises(AccessError) as caught:
            act("apply", package)
        assert "nn" in str(caught.value.path)
        assert "Close" in caught.value.remedy
        assert snapshot(package.parent) == before


def test_a_tree_far_down_is_patched_or_the_reason_told(cache: Path, tmp_path: Path) -> None:
    # The package itself within 260 characters: wine, unlike Windows, finds no real place beyond them.
    folder = tmp_path / ("x" * (220 - len(str(tmp_path))))
    try:
        package = miniature.cut(NEWEST, cache, folder)
    except OSError:
        pytest.skip("this Windows makes no paths that long")
    assert len(str(package)) < 260 < len(str(package / "nn/modules/double_attention.py"))
    before = snapshot(package.parent)
    for verb in ("apply", "revert"):
        answer = inside(verb, *(["--no-verify"] if verb == "apply" else []), "--ultralytics-path", package)
        assert answer.code == 0, answer.err
    assert snapshot(package.parent) == before
