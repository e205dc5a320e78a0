"""What only the full level finds: faults that show in fewer bits, after export, or beside another worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from a2patch.runner.verify import Subject, verify
from patches import releases
from tests.support.command import a2patch, patch
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

FAULTS = (
    # normalised by a sum of squares that half can't hold at 640 px, with a count that a trace keeps as a plain number
    (
        "return x + self.bn(self.attn(x))",
        "count = float(x[0].numel())\n"
        "        return x + self.bn(self.attn(x * (count / x.square().sum((1, 2, 3), keepdim=True)).sqrt()))",
    ),
    # a parameter that nothing reads
    ("self.bn = nn.BatchNorm2d(c1)", "self.bn, self.spare = nn.BatchNorm2d(c1), nn.Parameter(torch.zeros(1))"),
)


def test_each_fault_is_found_by_its_check(cache: Path, tmp_path: Path) -> None:
    package = patch(releases.unpack(NEWEST, cache, tmp_path).resolve())
    path = package / "nn/modules/double_attention.py"
    text = path.read_text(encoding="utf-8")
    for old, new in FAULTS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")

    only, subject = ("amp", "export", "ddp"), Subject(package / "cfg/models/v8/yolov8_A2.yaml")
    verdict = verify(package, Path(sys.executable), {}, lambda _: None, os.environ, only=only, subject=subject)
    found = {check.name: check for check in verdict.checks}
    # not known: the stock model, which is tried where an export fails, comes through
    assert {name for name, check in found.items() if check.result == "fail"} == {"amp", "export", "ddp"}, found
    assert found["amp"].figure == "half"
    assert "layer 5 (DoubleAttentionBlock)" in found["amp"].meaning
    assert "yolov8_A2.yaml as TorchScript" in found["export"].figure
    assert "2x3x96x128" in found["export"].meaning
    assert "no output depends on model.5.spare, model.8.spare" in found["ddp"].meaning
    assert not list(package.rglob("__pycache__")), "the workers wrote into the tree"


def test_a_level_is_one_level() -> None:
    assert a2patch("verify", "--quick", "--full").code == 2
