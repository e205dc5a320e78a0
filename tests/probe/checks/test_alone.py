"""Layers that mix the images of a batch, that are random, or that remember: each is told, and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from a2patch.protocol import Check
from a2patch.runner.verify import Subject
from patches import releases
from tests.support.command import ROOT, a2patch
from tests.support.probes import tried
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

A2 = ROOT / "patches" / "double_attention" / "sources" / "yolov8_A2.yaml"
CHECKS = ("formula", "alone", "sight", "gradient")

# The softmaxes of our layer: over the positions and over the descriptors.
MAPS, VECTORS = "self.convB(x).flatten(2).softmax(2)", "self.convV(x).flatten(2).softmax(1)"
# Each wrong one, and the checks that fail on it.
VARIANTS = {
    "maps over the batch": (MAPS, MAPS[:-2] + "0)", ("formula", "alone", "sight")),
    "maps over the descriptors": (MAPS, MAPS[:-2] + "1)", ("formula",)),
    "maps over what torch takes": (
        MAPS,
        f"torch.nn.functional.softmax({MAPS[:-11]})",
        ("formula", "alone", "sight"),
    ),
    "vectors over the batch": (VECTORS, VECTORS[:-2] + "0)", ("formula", "alone", "sight", "gradient")),
    "vectors over the positions": (VECTORS, VECTORS[:-2] + "2)", ("formula", "gradient")),
    "vectors over what torch takes": (
        VECTORS,
        f"torch.nn.functional.softmax({VECTORS[:-11]})",
        ("formula", "alone", "sight", "gradient"),
    ),
}

# Classes of a user's own, in the place of a block, and what is to be told of them.
OTHERS = """
class Steady(torch.nn.Module):
    def forward(self, x):
        return x + x.mean((1, 2, 3), keepdim=True)

class Mixing(torch.nn.Module):
    def forward(self, x):
        return x + x.mean((0, 2, 3), keepdim=True)

class Inside(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = Steady(), Mixing(), Steady()

    def forward(self, x):
        return self.third(self.second(self.first(x)))

class Statistics(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = torch.nn.BatchNorm2d(64, affine=False, track_running_stats=False)

    def forward(self, x):
        return x + self.bn(x)

class First(torch.nn.Module):
    def forward(self, x):
        return x * torch.linspace(1, 2, len(x)).to(x).view(-1, 1, 1, 1)

class Dropping(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.1)

class Noisy(torch.nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)

class Growing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.seen = torch.cat([self.seen, self.seen.new_ones(1)])
        return x + len(self.seen)

class Remembering(torch.nn.Module):
    def forward(self, x):
        self.last, last = x.mean(), getattr(self, "last", 0)
        return x + last

class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        return x * 1.0
"""
TOLD = {
    "Steady": ("pass", ""),
    "Mixing": ("fail", "layer 5 (Mixing) of"),
    "Inside": ("fail", "model.5.second (Mixing) of"),
    "Statistics": ("fail", "model.5.bn (BatchNorm2d) of"),
    "First": ("fail", "layer 5 (First) of"),
    "Dropping": ("fail", "layer 5 (Dropping) of yolov8n.yaml gives the same image something else each time: it draws"),
    "Noisy": ("fail", "it draws random numbers"),
    "Growing": ("fail", "it keeps something from one image to the next (model.5.seen)"),
    "Remembering": ("fail", "it keeps something from one image to the next."),
    "Counting": ("pass", "In evaluation model.5.count of yolov8n.yaml change."),
}


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patched release."""
    package = releases.unpack(NEWEST, cache, tmp_path_factory.mktemp("tree")).resolve()
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    return package


@pytest.fixture
def restored(package: Path) -> Iterator[Path]:
    """The package, whose files become what they were."""
    files = [package / "nn/modules/double_attention.py", package / "nn/tasks.py"]
    before = [file.read_bytes() for file in files]
    yield package
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)


def checks(package: Path, folder: Path, rows: dict[str, str], names: tuple[str, ...]) -> dict[str, dict[str, Check]]:
    """Try a model for each row in the place of the block at 5."""
    subjects = {}
    for name, row in rows.items():
        file = folder / name / "yolov8n.yaml"
        file.parent.mkdir()
        text = A2.read_text(encoding="utf-8")
        old = "[-1, 1, DoubleAttentionBlock, [0.25]] # 5"
        assert text.count(old) == 1
        file.write_text(text.replace(old, row), encoding="utf-8")
        subjects[name] = Subject(file)
    (folder / "work").mkdir()
    return tried(package, subjects, names, folder / "work")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_softmax_over_another_axis(variant: str, restored: Path, tmp_path: Path) -> None:
    old, new, caught_by = VARIANTS[variant]
    path = restored / "nn/modules/double_attention.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    row = "[-1, 1, DoubleAttentionLayer, [256, 4]]"
    found = checks(restored, tmp_path, {"layer": row}, CHECKS)["layer"]
    assert tuple(name for name in CHECKS if found[name].result == "fail") == caught_by, found
    if "alone" in caught_by:
        assert "layer 5 (DoubleAttentionLayer) of yolov8n.yaml mixes" in found["alone"].meaning
    if "sight" in caught_by:
        assert "layer 5" in found["sight"].meaning


def test_what_else_is_not_the_same_alone(restored: Path, tmp_path: Path) -> None:
    path = restored / "nn/tasks.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + OTHERS, encoding="utf-8")
    found = checks(restored, tmp_path, {name: f"[-1, 1, {name}, []]" for name in TOLD}, ("alone",))
    for name, (result, told) in TOLD.items():
        check = found[name]["alone"]
        assert check.result == result, (name, check)
        assert told in check.meaning, (name, check)
    assert "self.training" in found["Dropping"]["alone"].advice
