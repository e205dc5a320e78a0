"""A training that is killed after an epoch was kept, and before it was told, tells it when it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from patches import releases
from tests.support.command import ROOT
from tests.support.trees import NEWEST

# It is ended, as nothing can prevent, in the moment in which it would tell of an epoch.
_TRAIN = """
import json, os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from a2patch.probe.checks.train import draw_dataset
from a2patch.probe.compare.train import train
from a2patch.protocol import EpochDone, TrainRequest

folder = Path.cwd()
home, data, killed_at = folder / "home", folder / "data/data.yaml", int(sys.argv[3])
if not data.exists():
    draw_dataset(folder / "data", 32)
    down = [-1, 1, "Conv", [16, 3, 2]]
    model = {"nc": 2, "backbone": [down] * 3, "head": [[[2], 1, "Detect", ["nc"]]]}
    folder.joinpath("tiny.yaml").write_text(json.dumps(model))
home.mkdir(exist_ok=True)

class Channel:
    def emit(self, event):
        if isinstance(event, EpochDone):
            if event.epoch == killed_at:
                os._exit(9)
            with (folder / "told.jsonl").open("a") as lines:
                lines.write(json.dumps([event.epoch, dict(event.figures)]) + "\\n")
    def trying(self, what):
        pass

common = dict(role="train", package=sys.argv[2], libraries=(), parts=(), checks=(), classes=(), threads=1)
train(TrainRequest(**common, folder=str(home), model="tiny.yaml", pretrained="", data=str(data),
                   arguments=(("imgsz", 32), ("batch", 8), ("amp", False)), epochs=3, seed=0, device="cpu"), Channel())
"""


def test_no_epoch_goes_untold(cache: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    releases.unpack(NEWEST, cache, tmp_path / "site-packages")

    def train(killed_at: int) -> int:
        words = [sys.executable, "-c", _TRAIN, str(ROOT), str(tmp_path / "site-packages"), str(killed_at)]
        return subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode

    assert [train(epoch) for epoch in (2, 3, 0)] == [9, 9, 0]
    told = [json.loads(line) for line in tmp_path.joinpath("told.jsonl").read_text().splitlines()]
    assert list(dict(told)) == [1, 2, 3]
    assert all(figures for _, figures in told)
