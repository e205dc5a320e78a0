"""No git on the PATH: every command works on an installed tree, and a checkout is told what git would have told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.command import Answer, a2patch
from tests.support.files import snapshot
from tests.support.trees import NEWEST

Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a2patch with a PATH that has nothing on it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"PATH": str(empty)}

    def run(*arguments: str, tree: Path) -> Answer:
        return a2patch(*arguments, "--ultralytics-path", tree, cwd=empty, env=env)

    return run


def test_every_command_works_on_an_installed_tree(unpack: Callable[..., Path], run: Run) -> None:
    package = unpack(NEWEST)
    before = snapshot(package.parent)
    assert "+++ b/ultralytics/nn/tasks.py" in run("diff", tree=package).out
    assert "+++ b/ultralytics/nn/tasks.py" in run("apply", "--dry-run", tree=package).out
    assert snapshot(package.parent) == before
    for command in (["apply", "--no-verify"], ["status"], ["diff"], ["verify", "--quick"]):
        answer = run(*command, tree=package)
        assert answer.code == 0, answer.out + answer.err
    answer = run("insert", "--base", "yolov8.yaml", "--at", "P3", "--install", tree=package)
    assert answer.code == 0, answer.out + answer.err
    answer = run("revert", tree=package)
    assert answer.code == 0, answer.err
    assert snapshot(package.parent) == before


def test_force_merges_without_it(cache: Path, tmp_path: Path, run: Run) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path)
    before = package.joinpath("nn/tasks.py").read_bytes()
    assert run("apply", "--no-verify", tree=package).code == 0
    tasks = package / "nn/tasks.py"
    edited = tasks.read_bytes().replace(
        b"elif m in (DoubleAttentionBlock, ", b"elif m in (Mine, DoubleAttentionBlock, "
    )
    tasks.write_bytes(b"# mine\n" + edited)
    assert run("revert", tree=package).code == 3
    assert run("revert", "--force", tree=package).code == 0
    assert tasks.read_bytes() == b"# mine\n" + before
    assert b"+        elif m in (Mine," in tmp_path.joinpath("empty", "a2patch-your-edits.patch").read_bytes()


def test_a_checkout_is_patched_with_a_note(cache: Path, tmp_path: Path, run: Run) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    before = snapshot(package)
    answer = run("apply", "--no-verify", "--json", tree=package)
    assert answer.code == 0, answer.err
    (note,) = answer.document["notes"]
    assert "no git to tell" in note
    assert run("revert", tree=package).code == 0
    assert snapshot(package) == before


def test_the_marks_of_a_merge_are_found_in_the_bytes(cache: Path, tmp_path: Path, run: Run) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + b"<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> theirs\n")
    answer = run("apply", "--no-verify", tree=package)
    assert answer.code == 3
    assert "merge or rebase" in answer.err
