"""An interpreter that lacks a library: unverified, the patch stays, and one line installs all that is missing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.support.command import a2patch, patch
from tests.support.environments import without
from tests.support.trees import Unpack

pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("ultralytics")


def test_libraries_of_the_release_and_of_the_trees_own(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack()
    python = without(tmp_path / "work place", ["PyYAML", "pillow", "polars", "PyWavelets"])
    wanted = ["pillow", "polars", "PyYAML"]
    answer = a2patch("apply", "--ultralytics-path", package, "--python", python, "--json")
    assert answer.code == 0, answer.err
    error = answer.document["unverified"]
    assert f"this tree needs {', '.join(wanted)}, which" in error["message"]
    assert shlex.split(error["remedy"]) == [str(python), "-m", "pip", "install", *wanted]
    assert package.joinpath("nn/modules/double_attention.py").is_file()

    with package.joinpath("nn/modules/block.py").open("a", encoding="utf-8") as file:
        file.write("\nimport my_own_ops\nimport pywt\n")
    answer = a2patch("verify", "--ultralytics-path", package, "--python", python, "--json")
    assert answer.code == 4
    error = answer.document["error"]
    assert "PyYAML, the module my_own_ops, which" in error["message"]
    line, _, origin = error["remedy"].partition("\n")
    assert shlex.split(line)[4:] == ["pillow", "polars", "PyWavelets", "PyYAML"]
    assert "not known here what provides my_own_ops" in origin


def test_a_library_that_only_training_needs(unpack: Unpack, tmp_path: Path) -> None:
    """Upstream wraps its absence into an error about the data set."""
    from a2patch.errors import ToolMissingError
    from a2patch.runner.verify import verify

    package = patch(unpack()).resolve()
    python = without(tmp_path / "environment", ["matplotlib"])
    with pytest.raises(ToolMissingError) as caught:
        verify(package, python, None, lambda _: None, {}, only=("train",))
    assert "needs matplotlib," in caught.value.message
    assert caught.value.remedy == f"{python} -m pip install matplotlib"
