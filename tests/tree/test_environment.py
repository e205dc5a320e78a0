"""Which copy which command would use, found without importing any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.errors import TreeNotFoundError
from a2patch.tree import environment, tree
from a2patch.tree.environment import Surroundings
from tests.support.trees import NEWEST, Unpack


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """The interpreter of an empty virtual environment."""
    prefix = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    python = tree.python_of(prefix)
    assert python is not None
    return python


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """An empty folder, and no environment but the one that runs the tests."""
    folder = tmp_path / "here"
    folder.mkdir()
    variables = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return Surroundings(folder, {"PATH": ""} | variables, Path(sys.executable))


def site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())


def test_without_a_path_the_package_of_this_environment_is_found(around: Surroundings) -> None:
    loaded = set(sys.modules)  # another test of this process may have imported it
    found = environment.locate(None, around)
    assert found.kind == "installed"
    assert found.package.is_relative_to(Path(sys.prefix).resolve())
    assert "ultralytics" not in set(sys.modules) - loaded


def test_a_copy_in_the_current_folder_does_not_hide_it(unpack: Unpack, around: Surroundings) -> None:
    here = unpack(NEWEST, "here")
    found = environment.locate(None, around)
    assert found.package != here
    used_by = [copy.used_by for copy in environment.copies(found, around) if copy.package == here]
    assert used_by == [f"`python script.py`, for a script in {around.folder}"]


def test_an_environment_is_asked_for_an_editable_install(
    unpack: Unpack, venv: Path, around: Surroundings, tmp_path: Path
) -> None:
    clone = unpack(NEWEST, "clone")
    site_packages(venv).joinpath("__editable__.ultralytics.pth").write_text(f"{clone.parent}\n")
    for named in (tmp_path / "env", site_packages(venv)):
        assert environment.locate(named, around).package == clone


def test_what_has_no_ultralytics_is_told(venv: Path, around: Surroundings, tmp_path: Path) -> None:
    with pytest.raises(TreeNotFoundError):
        environment.locate(tmp_path / "env", around)
    with pytest.raises(TreeNotFoundError):
        environment.locate(tmp_path / "nowhere", around)


def test_a_tree_is_tried_by_the_interpreter_of_its_environment(
    unpack: Unpack, venv: Path, around: Surroundings, tmp_path: Path
) -> None:
    inside = unpack(NEWEST, str(site_packages(venv).relative_to(tmp_path)))
    assert environment.interpreter_for(tree.find(inside), around) == venv
    outside = unpack(NEWEST, "vendored")
    assert environment.interpreter_for(tree.find(outside), around) == Path(sys.executable)
