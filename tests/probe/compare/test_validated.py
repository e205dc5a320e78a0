"""What a real training keeps of its last validation, judged by a COCO evaluator: upstream's mAP50-95, and no other."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from a2patch.protocol import VALIDATED
from a2patch.runner.compare import sizes
from patches import releases
from tests.support.command import ROOT
from tests.support.trees import NEWEST

torch = pytest.importorskip("torch")

# Upstream trains and judges, but what it predicts is its labels, moved about: else no short training predicts anything.
_TRAIN = """
import json, os, random, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import numpy as np
import torch
from PIL import Image
from a2patch.probe.checks.train import draw_dataset
from a2patch.probe.compare.train import train
from a2patch.protocol import EpochDone, TrainRequest

if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid  # which older releases ask newer numpys for
folder = Path.cwd()
data = draw_dataset(folder / "data", 32)
chance = random.Random(0)
for i, size in enumerate([(24, 24), (30, 20), (60, 80), (90, 70), (97, 61), (200, 150), (131, 300), (333, 201)]):
    place = folder / "data/images/val" / f"{i}.png"
    Image.open(place).resize(size).save(place)
    rows = []
    for kind in (0, 1)[: 1 + i % 2]:
        w, h = chance.uniform(0.2, 1), chance.uniform(0.2, 1)
        x, y = chance.uniform(w / 2, 1 - w / 2), chance.uniform(h / 2, 1 - h / 2)
        rows.append(f"{kind} {x:.6f} {y:.6f} {w:.6f} {h:.6f}")
    (folder / "data/labels/val" / f"{i}.txt").write_text("\\n".join(rows))

from ultralytics.models.yolo.detect import DetectionValidator
seen = DetectionValidator.preprocess
made = DetectionValidator.postprocess

def preprocess(self, batch):
    self.rigged = seen(self, batch)
    return self.rigged

def postprocess(self, predictions):
    batch, found = self.rigged, []
    height, width = batch["img"].shape[2:]
    noise = torch.Generator().manual_seed(1)
    for i, one in enumerate(made(self, predictions)):
        mine = batch["batch_idx"] == i
        boxes = batch["bboxes"][mine].repeat(6, 1) * torch.tensor([width, height, width, height])
        boxes = boxes + torch.randn(boxes.shape, generator=noise) * torch.linspace(0, 3, len(boxes))[:, None]
        x, y, w, h = boxes.unbind(1)
        corners = torch.stack((x - w / 2, y - h / 2, x + w / 2, y + h / 2), 1)
        scores = torch.rand(len(boxes), generator=noise)
        kinds = batch["cls"][mine].view(-1).repeat(6)
        order = scores.argsort(descending=True)
        corners, scores, kinds = corners[order], scores[order], kinds[order]
        columns = {"bboxes": corners, "conf": scores, "cls": kinds}
        found.append(columns if isinstance(one, dict) else torch.cat((corners, scores[:, None], kinds[:, None]), 1))
    return found

DetectionValidator.preprocess, DetectionValidator.postprocess = preprocess, postprocess

class Channel:
    def emit(self, event):
        if isinstance(event, EpochDone):
            (folder / "told.json").write_text(json.dumps(dict(event.figures)))
    def trying(self, what):
        pass

home = folder / "home"
home.mkdir()
down = [-1, 1, "Conv", [16, 3, 2]]  # four layers, since only what upstream does around them matters
(folder / "tiny.yaml").write_text(json.dumps({"nc": 2, "backbone": [down] * 3, "head": [[[2], 1, "Detect", ["nc"]]]}))
arguments = (("imgsz", 64), ("batch", 4), ("amp", False))
common = dict(role="train", package=sys.argv[2], libraries=(), parts=(), checks=(), classes=(), threads=1)
train(TrainRequest(**common, folder=str(home), model="tiny.yaml", pretrained="", data=str(data),
                   arguments=arguments, epochs=1, seed=0, device="cpu"), Channel())
"""


@pytest.mark.parametrize("release", ["8.2.0", NEWEST])
def test_all_sizes_together_give_what_upstream_tells(release: str, cache: Path, tmp_path: Path) -> None:
    evaluator = pytest.importorskip("faster_coco_eval")
    releases.unpack(release, cache, tmp_path / "site-packages")
    words = [sys.executable, "-c", _TRAIN, str(ROOT), str(tmp_path / "site-packages")]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    with gzip.open(tmp_path / "home" / VALIDATED) as file:
        kept = json.load(file)
    told = json.loads((tmp_path / "told.json").read_text())
    found = sizes.evaluate(kept, evaluator)
    assert 0.2 < told["metrics/mAP50-95(B)"] < 0.8
    assert found.whole == pytest.approx(told["metrics/mAP50-95(B)"], abs=0.01)
    assert (len(kept["images"]), found.objects["large"] > 0, sum(found.objects.values())) == (8, True, 12)
    sides = {image["file_name"]: (image["width"], image["height"]) for image in kept["images"]}
    assert (sides["0.png"], sides["7.png"]) == ((24, 24), (333, 201))
    names = {image["id"]: image["file_name"] for image in kept["images"]}
    for label in kept["annotations"]:
        name = names[label["image_id"]]
        width, height = sides[name]
        rows = (tmp_path / "data/labels/val" / name).with_suffix(".txt").read_text().splitlines()
        kind, *shares = next(row.split() for row in rows if row.startswith(f"{label['category_id']} "))
        assert int(kind) == label["category_id"]
        x, y, w, h = (float(share) * side for share, side in zip(shares, (width, height) * 2, strict=True))
        assert label["bbox"][2:] == pytest.approx([w, h], abs=0.01)
        half = max(width, height) / 64 / 2  # a pixel that the model sees: 8.2.0 puts labels that far beside the image
        assert label["bbox"][:2] == pytest.approx([x - w / 2, y - h / 2], abs=half + 0.01)


def batch(ratio_pad: Any) -> dict[str, Any]:
    """An image of 100 by 50 pixels that the model sees at half its size, 8 pixels down, in 64 by 64."""
    return {
        "img": torch.zeros(1, 3, 64, 64),
        "batch_idx": torch.tensor([0.0]),
        "cls": torch.tensor([[1.0]]),
        "bboxes": torch.tensor([[25 / 64, 20.5 / 64, 50 / 64, 25 / 64]]),
        "ori_shape": [(50, 100)],
        "ratio_pad": [ratio_pad],
        "im_file": ["/data/0.png"],
    }


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("cut", [True, False])
def test_boxes_are_put_back_into_the_image_on_the_disk(named: bool, cut: bool) -> None:
    from a2patch.probe.compare import validated

    table = torch.tensor([[-5.0, 8.0, 25.0, 43.0, 0.5, 1.0]], dtype=torch.float16)
    columns = {"bboxes": table[:, :4], "conf": table[:, 4], "cls": table[:, 5], "extra": table[:, 6:]}
    (seen,) = validated.seen([columns if named else table], batch(((0.5, 0.5), (0, 8))), one_class=False, cut=cut)
    assert (seen.file, seen.size) == ("0.png", (100, 50))
    assert seen.labels.tolist() == [[1.0, 0.0, 0.0, 100.0, 50.0]]
    assert seen.predictions.tolist() == [[1.0, *([0.0, 0.0, 50.0, 50.0] if cut else [-10.0, 0.0, 60.0, 70.0]), 0.5]]


def test_an_image_that_nothing_fills_up_and_one_class_for_all() -> None:
    from a2patch.probe.compare import validated

    stretched = batch((64 / 50, 64 / 100))
    (seen,) = validated.seen(([torch.zeros(0, 38)], None), stretched, one_class=True, cut=True)
    expected = [0.0, 0.0, 8 * 50 / 64, 50 / 64 * 100, 25 * 50 / 64]
    assert seen.labels.tolist() == [pytest.approx(expected)]
    assert seen.predictions.shape == (0, 6)


def test_the_same_validation_gives_the_same_file(tmp_path: Path) -> None:
    from a2patch.probe.compare import validated

    row = [0.0, 1.0, 2.0, 3.0, 4.0]
    image = validated.Seen("ü.png", (9, 9), torch.tensor([row]).double(), torch.tensor([[*row, 0.5]]).double())
    for name in ("one", "two"):
        kept = validated.Validated()
        kept._images, kept._names = [image, image], {0: "ä"}
        kept.write(tmp_path / name)
    assert tmp_path.joinpath("one").read_bytes() == tmp_path.joinpath("two").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    told = json.loads(gzip.decompress(tmp_path.joinpath("one").read_bytes()))
    assert [each["id"] for each in told["annotations"]] == [1, 2]
    assert told["predictions"][1] == {"image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}
    validated.Validated().write(tmp_path / "none")
    assert not tmp_path.joinpath("none").exists()
