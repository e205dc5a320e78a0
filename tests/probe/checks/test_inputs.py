"""Images that are not three channels of 64 px: each model gets those that it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from a2patch.protocol import Check
from a2patch.runner.process import environment
from a2patch.runner.verify import Subject
from patches import releases
from tests.support.command import ROOT, a2patch
from tests.support.probes import tried
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

A2 = ROOT / "patches" / "double_attention" / "sources" / "yolov8_A2.yaml"
VALUES = ("alone", "sight", "gradient", "learn", "checkpoint")
CHECKS = ("build", "finite", "wiring", "scale", "stride", *VALUES)
COARSE, DETECT = "  - [-1, 3, C2f, [1024]] # 23 (P5/32-large)", "# Detect(P3, P4, P5)"
_MAKE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from ultralytics.nn.tasks import DetectionModel

model = DetectionModel(sys.argv[2], ch=int(sys.argv[3]), verbose=False)
torch.save({"model": model, "ema": None, "epoch": -1, "train_args": {}}, sys.argv[4])
"""


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patched release."""
    return patched(NEWEST, cache, tmp_path_factory.mktemp("tree"))


def patched(release: str, cache: Path, folder: Path) -> Path:
    package = releases.unpack(release, cache, folder).resolve()
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    return package


def saved(package: Path, channels: int, folder: Path) -> Path:
    """Save a model of images of so many channels."""
    path = folder / f"of-{channels}.pt"
    command = [sys.executable, "-c", _MAKE, str(package.parent), "yolov8n_A2.yaml", str(channels), str(path)]
    subprocess.run(command, cwd=folder, env=environment(os.environ, folder), check=True, capture_output=True)
    return path


def written(folder: Path, *edits: tuple[str, str]) -> Path:
    """Write a model file with changes."""
    text = A2.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "yolov8n-inputs.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def results(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: check.result for name, check in checks.items()}


@pytest.mark.parametrize("channels", [10])
def test_other_images_than_rgb(channels: int, package: Path, tmp_path: Path) -> None:
    subjects = {"checkpoint": Subject(saved(package, channels, tmp_path))}
    (tmp_path / "work").mkdir()
    found = tried(package, subjects, (*CHECKS, "export") if channels == 10 else CHECKS, tmp_path / "work")
    checks = found["checkpoint"]
    assert results(checks) == dict.fromkeys(checks, "pass"), checks


def test_what_a_file_says_of_its_channels_is_not_what_is_built(package: Path, tmp_path: Path) -> None:
    """This release overrules it, and builds three: that is told, and all else is tried with three."""
    subjects = {"overruled": Subject(written(tmp_path / "ch", ("nc: 80 ", "ch: 4\nnc: 80 ")))}
    (tmp_path / "work").mkdir()
    found = tried(package, subjects, (*CHECKS, "train"), tmp_path / "work")["overruled"]
    assert results(found) == {**dict.fromkeys(found, "pass"), "build": "fail"}, found
    assert "ch: 4 is asked for, and this release builds 3" in found["build"].meaning


def test_a_release_that_builds_what_a_file_says(cache: Path, tmp_path: Path) -> None:
    """It trains on three channels all the same, and exports them: that is told, and no fault of the model."""
    package = patched("8.3.50", cache, tmp_path / "tree")
    subjects = {"four": Subject(written(tmp_path / "ch", ("nc: 80 ", "ch: 4\nnc: 80 ")))}
    (tmp_path / "work").mkdir()
    found = tried(package, subjects, (*CHECKS, "train", "export"), tmp_path / "work")["four"]
    skipped = {"train": "3 channels, and the model takes 4", "export": "of 3 channels"}
    assert results(found) == {**dict.fromkeys(found, "pass"), **dict.fromkeys(skipped, "skip")}, found
    for name, told in skipped.items():
        assert told in found[name].meaning


def test_costs_and_insertions_of_other_images(package: Path, tmp_path: Path) -> None:
    """A fork whose images have six channels: what is built by its name has them too."""
    tasks = package / "nn/tasks.py"
    before = tasks.read_bytes()
    text = before.decode("utf-8")
    start = text.index("class DetectionModel(")
    old, new = "ch=3, nc=None, verbose=True", "ch=6, nc=None, verbose=True"
    place = text.index(old, start)
    tasks.write_bytes((text[:place] + new + text[place + len(old) :]).encode("utf-8"))
    here = ("--ultralytics-path", package, "--python", sys.executable)
    try:
        file = tmp_path / "made.yaml"
        inserted = a2patch("insert", "--base", "yolov8n", "--at", "p4", "-o", file, "--costs", *here, "--json")
        found = tried(package, {"six": Subject(A2)}, (*CHECKS, "train"), _made(tmp_path / "work"))["six"]
    finally:
        tasks.write_bytes(before)
    assert inserted.code == 0, inserted.err
    assert file.is_file()
    costs = inserted.document["verdict"]["costs"]
    assert costs
    assert all(cost["counted"] and cost["gflops"] for cost in costs)
    assert results(found) == {**dict.fromkeys(found, "pass")}, found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_model_that_needs_larger_images(package: Path, tmp_path: Path) -> None:
    rows = {
        "unpadded": "  - [-1, 1, Conv, [1024, 3, 1, 0]]",
        "pooled": "  - [-1, 1, nn.MaxPool2d, [4]]",
        "wide": "  - [-1, 1, Conv, [1024, 13]]",  # circular, it would wrap around more than once
    }
    subjects = {}
    for name, row in rows.items():
        subjects[name] = Subject(written(tmp_path / name, (COARSE, row), (DETECT, "")), scale="n")
    found = tried(package, subjects, CHECKS, _made(tmp_path / "work"))
    for name, checks in found.items():
        assert results(checks) == dict.fromkeys(checks, "pass"), (name, checks)


def test_what_runs_on_no_images_that_are_tried_is_skipped(package: Path, tmp_path: Path) -> None:
    """It needs more than upstream trains at; a classifier is not run to be built."""
    text = (package / "cfg/models/v8/yolov8-cls.yaml").read_text(encoding="utf-8")
    row = "  - [-1, 1, Classify, [nc]]"
    assert text.count(row) == 1
    file = tmp_path / "yolov8n-cls.yaml"
    file.write_text(text.replace(row, "  - [-1, 1, nn.MaxPool2d, [30, 1]]\n" + row), encoding="utf-8")
    found = tried(package, {"huge": Subject(file)}, CHECKS, _made(tmp_path / "work"))["huge"]
    skipped = ("alone", "gradient", "learn", "checkpoint")
    assert "fail" not in results(found).values(), found
    for name in skipped:
        assert "it runs on no images of" in found[name].meaning, found[name]
