"""Checkpoints with values that are no numbers: one check tells, by name, and what can't be said then is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.runner.process import environment
from a2patch.runner.verdict import QUICK
from a2patch.runner.verify import Subject
from patches import releases
from tests.support.command import a2patch
from tests.support.probes import tried
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

VALUES = ("alone", "sight", "gradient", "learn", "checkpoint", "train", "amp", "export", "ddp")
_MAKE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from ultralytics.nn.tasks import DetectionModel

def save(name, change):
    model = DetectionModel("yolov8n.yaml", verbose=False)
    with torch.no_grad():
        change(model.model)
    torch.save({"model": model.half(), "ema": None, "epoch": -1, "train_args": {}}, name + ".pt")

def one(layers):
    layers[2].cv1.conv.weight[0, 0, 0, 0] = float("nan")

def several(layers):
    for layer in layers[:4]:
        layer.float()
    layers[0].conv.weight[3] = float("inf")
    layers[0].bn.running_var[3] = float("inf")
    layers[0].bn.running_mean[3] = float("-inf")
    layers[1].bn.bias[0] = float("nan")
    layers[1].bn.weight[0] = 1e6  # too large for half precision, in which it is saved

def mask(layers):
    layers[9].register_buffer("mask", torch.full((4, 4), float("-inf")).triu(1))

for change in (one, several, mask):
    save(change.__name__, change)
"""


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untouched release, with the checkpoints beside it."""
    package = releases.unpack(NEWEST, cache, tmp_path_factory.mktemp("tree")).resolve()
    command = [sys.executable, "-c", _MAKE, str(package.parent)]
    home = tmp_path_factory.mktemp("home")
    subprocess.run(command, cwd=package.parent, env=environment(os.environ, home), check=True, capture_output=True)
    return package


def test_the_tensors_are_named_and_the_rest_is_skipped(package: Path, tmp_path: Path) -> None:
    subjects = {name: Subject(package.parent / f"{name}.pt") for name in ("one", "several")}
    found = tried(package, subjects, ("build", "finite", "wiring", "scale", "stride", *VALUES), tmp_path)
    for name in subjects:
        assert {n: c.result for n, c in found[name].items()} == {
            **dict.fromkeys(("import", "build", "wiring", "scale", "stride"), "pass"),
            "finite": "fail",
            **dict.fromkeys(VALUES, "skip"),
        }
        assert all("`finite`" in found[name][n].meaning for n in VALUES)
    one, several = found["one"]["finite"], found["several"]["finite"]
    assert one.figure == "1 of 355 tensors"
    assert one.meaning == "one.pt holds values that are no finite numbers: NaN in model.2.cv1.conv.weight."
    assert several.figure == "5 of 355 tensors"
    assert "infinity in model.0.conv.weight, infinity in model.1.bn.weight, NaN in model.1.bn.bias and 2 more" in (
        several.meaning
    )


def test_it_is_told_at_the_quick_level(package: Path) -> None:
    assert "finite" in QUICK
    model = package.parent / "one.pt"
    arguments = ("--quick", "--trust") if "--trust" in a2patch("verify", "--help").out else ("--quick",)
    answer = a2patch("verify", model, *arguments, "--ultralytics-path", package, "--python", sys.executable, "--json")
    assert answer.code == 1, answer.err
    checks = answer.document["verdict"]["checks"]
    assert [check["name"] for check in checks if check["result"] == "fail"] == ["finite"]
    assert "earlier checkpoint" in next(check["advice"] for check in checks if check["name"] == "finite")


def test_a_mask_is_infinite_on_purpose(package: Path, tmp_path: Path) -> None:
    found = tried(package, {"mask": Subject(package.parent / "mask.pt")}, ("finite", "alone", "sight"), tmp_path)
    assert {check.result for check in found["mask"].values()} == {"pass"}
    assert found["mask"]["finite"].meaning == "Infinite, as a mask is: model.9.mask in mask.pt."


def test_a_layer_that_leaves_its_parameters_unset(package: Path, tmp_path: Path) -> None:
    """A fresh model too holds what its layers give it."""
    tasks = package / "nn/tasks.py"
    before = tasks.read_bytes()
    tasks.write_text(
        before.decode("utf-8") + "\n\nclass Unset(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gain = torch.nn.Parameter(torch.full((1,), float('nan')))\n\n"
        "    def forward(self, x):\n"
        "        return x * self.gain\n",
        encoding="utf-8",
    )
    text = (package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8")
    model = tmp_path / "yolov8n-unset.yaml"
    model.write_text(text.replace("[-1, 1, SPPF, [1024, 5]]", "[-1, 1, Unset, []]"), encoding="utf-8")
    (tmp_path / "work").mkdir()
    try:
        found = tried(package, {"unset": Subject(model)}, ("build", "finite", "sight", "learn"), tmp_path / "work")
    finally:
        tasks.write_bytes(before)
    results = {name: check.result for name, check in found["unset"].items()}
    assert results == {"import": "pass", "build": "pass", "finite": "fail", "sight": "skip", "learn": "skip"}
    assert "NaN in model.9.gain" in found["unset"]["finite"].meaning
