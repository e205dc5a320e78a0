"""`a2patch status`: what stands in a tree, what to type next, every copy, and codes for scripts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from a2patch.transaction import look_at, operations
from a2patch.tree import Surroundings, environment, tree
from tests.support import miniature
from tests.support.blocks import KEEP, WIDTH
from tests.support.inside import inside
from tests.support.miniature import act, quiet
from tests.support.trees import NEWEST


@pytest.fixture
def package(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return miniature.cut(NEWEST, cache, tmp_path)


def check(package: Path) -> tuple[int, str]:
    """Return the exit code of `status --check`, and what it says is wrong."""
    answer = inside("status", "--check", "--json", "--ultralytics-path", package)
    assert answer.document["exit_code"] == answer.code
    told = inside("status", "--check", "--ultralytics-path", package)
    assert told.code == answer.code
    assert inside("status", "--ultralytics-path", package).code == 0
    return answer.code, answer.document["check"]


def test_check_passes_only_what_is_whole_and_verified(package: Path, tmp_path: Path) -> None:
    found = tree.find(package)
    assert check(package) == (3, "not whole")
    act("apply", package)
    assert check(package) == (1, "not verified")
    operations.mark_verified(found, "Python 3.11.7, torch 2.9.0", quiet)
    assert check(package) == (0, "verified")
    assert "verified by a2patch " in inside("status", "--check", "--ultralytics-path", package).out

    yaml = package / "cfg/models/v8/yolov8_A2.yaml"
    content = yaml.read_bytes()
    yaml.write_bytes(content.replace(b"nc: 80", b"nc: 3"))
    assert check(package) == (3, "not whole")
    yaml.unlink()
    assert check(package) == (3, "not whole")
    yaml.write_bytes(content)
    assert check(package) == (0, "verified")
    assert inside("status", "--check", "--ultralytics-path", tmp_path / "nowhere").code == 4


@pytest.mark.parametrize("patched", [False, True], ids=["alone", "upon double attention"])
def test_check_answers_for_blocks_too(package: Path, tmp_path: Path, patched: bool) -> None:
    found = tree.find(package)
    if patched:
        act("apply", package)
        operations.mark_verified(found, "Python 3.11.7", quiet)
    operations.apply_blocks(found, quiet, [KEEP, WIDTH])
    assert check(package) == (1, "not verified")
    operations.mark_verified(found, "Python 3.11.7", quiet)
    assert check(package) == (0, "verified")
    module = package / "nn/modules/keeping.py"
    content = module.read_bytes()
    module.write_bytes(content + b"# mine\n")
    assert check(package) == (3, "not whole")
    module.unlink()
    assert check(package) == (3, "not whole")
    module.write_bytes(content)
    assert check(package) == (0, "verified")


def test_check_does_not_take_another_a2patch_s_word(package: Path, tmp_path: Path) -> None:
    with miniature.older(tmp_path / "older"):
        act("apply", package)
    operations.mark_verified(tree.find(package), "Python 3.11.7", quiet)
    assert check(package) == (3, "not whole")
    act("apply", package)
    receipt = package / ".a2patch/receipt.json"
    for verifier in ("Python 3.11.7, torch 2.9.0", "a2patch 0.0.1, Python 3.11.7, torch 2.9.0"):
        kept = look_at(tree.find(package)).receipt
        assert kept is not None
        receipt.write_bytes(receipt.read_bytes().replace(f'"{kept.verified}"'.encode(), f'"{verifier}"'.encode(), 1))
        assert look_at(tree.find(package)).receipt is not None
        assert check(package) == (1, "not verified")


def test_what_to_type_next_fits_the_state_and_the_tree(package: Path) -> None:
    def advised() -> str:
        lines = inside("status", "--ultralytics-path", package).out.splitlines()
        return lines[lines.index("next") + 1].split(" --ultralytics-path ")[0].strip()

    assert advised() == "a2patch apply"
    act("apply", package)
    assert advised() == "a2patch verify"
    operations.mark_verified(tree.find(package), "Python 3.11.7", quiet)
    assert advised() == "a2patch revert"
    yaml = package / "cfg/models/v8/yolov8_A2.yaml"
    yaml.write_bytes(yaml.read_bytes() + b"# mine\n")
    assert advised() == "a2patch diff"
    yaml.unlink()
    assert advised() == "a2patch apply"


def test_copies_behind_another_on_the_same_path_are_named(package: Path, cache: Path, tmp_path: Path) -> None:
    behind = miniature.cut(NEWEST, cache, tmp_path / "behind")
    variables = {"PYTHONPATH": os.pathsep.join(map(str, (package.parent, behind.parent))), "PATH": ""}
    around = Surroundings(tmp_path, variables, Path(sys.executable))
    copies = environment.copies(tree.find(package), around)
    shadowed = {copy.package for copy in copies if copy.is_shadowed}
    assert behind in shadowed
    assert shadowed <= {copy.package for copy in copies}
