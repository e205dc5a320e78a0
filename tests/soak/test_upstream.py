"""What runs upstream's tests tells each one's outcome, also behind one that hangs, and sees where two trees differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.upstream import Outcome, Told, differences, run

TESTS = """
import time, pytest

def test_passes(): pass

def test_fails(): raise ValueError(f"at {id(object)}, in {__file__}")

@pytest.mark.parametrize("word", ["a b", "[c]"])
def test_words(word): pass

def test_hangs(): time.sleep(60)

@pytest.mark.skip(reason="no such device")
def test_is_skipped(): pass

@pytest.fixture
def broken():
    yield
    raise OSError("as it was cleared away")

def test_is_cleared_away_badly(broken): pass
"""


def made(folder: Path, classes: str) -> Path:
    """Make a tree that has tests."""
    for path, text in {
        "ultralytics/__init__.py": "",
        "ultralytics/nn/__init__.py": "",
        "ultralytics/nn/tasks.py": classes,
        "tests/__init__.py": "",
        "tests/test_few.py": TESTS,
    }.items():
        folder.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(path).write_text(text)
    return folder


def test_every_test_has_its_outcome_also_behind_one_that_hangs(tmp_path: Path) -> None:
    tree = made(tmp_path / "stock" / "u", "class A: pass\n")
    told = run(tree, ["tests/test_few.py"], 0.5)
    assert told.tree == tree / "ultralytics"
    assert told.classes == {"A"}
    assert told.outcomes == {
        "tests/test_few.py::test_passes": Outcome("passed"),
        "tests/test_few.py::test_fails": Outcome("failed", "ValueError: at 1, in /u/tests/test_few.py"),
        "tests/test_few.py::test_words[a b]": Outcome("passed"),
        "tests/test_few.py::test_words[[c]]": Outcome("passed"),
        "tests/test_few.py::test_hangs": Outcome("cut off"),
        "tests/test_few.py::test_is_skipped": Outcome(
            "skipped", "('/u/tests/test_few.py', 1, 'Skipped: no such device')"
        ),
        "tests/test_few.py::test_is_cleared_away_badly": Outcome("failed", "OSError: as it was cleared away"),
    }


def test_another_tree_than_the_one_asked_for_is_refused(tmp_path: Path) -> None:
    other = made(tmp_path / "other", "")
    tree = made(tmp_path / "u", "")
    conftest = f"import sys; sys.path.insert(0, {str(other)!r}); import ultralytics"
    (tree / "tests" / "conftest.py").write_text(conftest)
    with pytest.raises(AssertionError, match="was tested, not"):
        run(tree, ["tests/test_few.py::test_passes"], 5)


def test_outcomes_and_reasons_are_compared_test_by_test(tmp_path: Path) -> None:
    before = Told(tmp_path, frozenset(), {"a": Outcome("passed"), "b": Outcome("failed", "x"), "c": Outcome("passed")})
    after = Told(tmp_path, frozenset(), {"a": Outcome("passed"), "b": Outcome("failed", "y"), "d": Outcome("passed")})
    assert differences(before, after) == ["b", "c", "d"]
