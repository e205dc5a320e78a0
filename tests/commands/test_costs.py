"""What a checkpoint costs, beside the stock model that is closest to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.runner.process import environment
from a2patch.runner.verify import Subject, verify
from tests.support.command import patch
from tests.support.trees import NEWEST, Unpack

pytest.importorskip("torch")
pytest.importorskip("torchvision")

_SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from ultralytics.nn.tasks import DetectionModel
model = DetectionModel("yolov8s_A2.yaml", nc=3, verbose=False)
torch.save({"model": model, "ema": None, "epoch": -1, "train_args": {}}, "best.pt")
"""


def test_a_checkpoint_stands_beside_its_base_at_its_own_scale(unpack: Unpack, tmp_path: Path) -> None:
    package = patch(unpack(NEWEST).resolve())
    variables = environment(os.environ, tmp_path)
    subprocess.run([sys.executable, "-c", _SAVE, str(package.parent)], cwd=tmp_path, env=variables, check=True)
    subject = Subject(tmp_path / "best.pt")
    only = ("build", "train")  # without which no costs are counted
    verdict = verify(package, Path(sys.executable), {}, lambda _: None, os.environ, only=only, subject=subject)
    parameters = {(cost.model, cost.scale): cost.parameters for cost in verdict.costs}
    assert set(parameters) == {("yolov8.yaml", "s"), ("best.pt", "s")}
    assert parameters["best.pt", "s"] - parameters["yolov8.yaml", "s"] == 83_360, "of the block alone"
    assert verdict.base == "yolov8.yaml"
    assert "yolov8.yaml is counted for 3 classes, as best.pt has them." in verdict.note
