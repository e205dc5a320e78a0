"""A copy of a package that can't be written, patched in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.trees import NEWEST


@pytest.fixture
def package(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return miniature.cut(NEWEST, cache, tmp_path)


def using(folder: Path) -> str:
    """Return how a line begins that uses the copy in a folder."""
    return f'set "PYTHONPATH={folder}" && yolo ' if os.name == "nt" else f'PYTHONPATH="{folder}" yolo '


def test_the_copy_is_patched_and_the_package_left_alone(package: Path, tmp_path: Path) -> None:
    before = snapshot(package.parent)
    package.joinpath("nn/__pycache__").mkdir()
    answer = inside("apply", "--no-verify", "--copy-to", "mine/patched", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    copy = tmp_path / "mine/patched/ultralytics"
    assert using(copy.parent) in answer.out
    assert f'a2patch revert --ultralytics-path "{Path("mine/patched")}"' in answer.out
    package.joinpath("nn/__pycache__").rmdir()
    assert snapshot(package.parent) == before

    status = inside("status", "--json", "--ultralytics-path", "mine/patched").document["tree"]
    assert (status["state"], status["kind"], status["package"]) == ("applied", "vendored", str(copy))
    again = inside("apply", "--no-verify", "--copy-to", "mine/patched", "--json", "--ultralytics-path", package)
    assert (again.code, again.document["error"]["kind"]) == (2, "ExistsError")
    assert inside("revert", "--ultralytics-path", "mine/patched").code == 0
    pristine = {path.removeprefix("ultralytics/"): found for path, found in before.items() if "dist-info" not in path}
    assert snapshot(copy) == {path: found for path, found in pristine.items() if path != "ultralytics"}


def test_a_copy_of_a_patched_package_is_used_by_the_same_line(package: Path, tmp_path: Path) -> None:
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    answer = inside("apply", "--no-verify", "--copy-to", "c", "--ultralytics-path", package)
    assert answer.code == 0
    assert "already patched" in answer.out
    assert using(tmp_path / "c") in answer.out
    assert inside("revert", "--ultralytics-path", "c").code == 0
    assert not (tmp_path / "c/ultralytics/nn/modules/double_attention.py").exists()


def test_what_can_t_be_copied_leaves_nothing(package: Path, tmp_path: Path) -> None:
    for name in ("a-file/in/it", str(package / "inside")):
        (tmp_path / "a-file").touch()
        answer = inside("apply", "--no-verify", "--copy-to", name, "--json", "--ultralytics-path", package)
        assert (answer.code, answer.document["error"]["kind"]) == (4, "AccessError")
    assert not package.joinpath("inside").exists()


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
def test_pipes_and_links_to_nowhere_are_left_out(package: Path, tmp_path: Path) -> None:
    os.mkfifo(package / "pipe")
    package.joinpath("back").symlink_to(package)
    assert inside("apply", "--no-verify", "--copy-to", tmp_path / "c", "--ultralytics-path", package).code == 0
    assert {"pipe", "back"}.isdisjoint(path.name for path in (tmp_path / "c/ultralytics").iterdir())
