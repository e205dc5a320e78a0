"""One real epoch on images that are drawn here, then validation and prediction from what it saved."""

from __future__ import annotations

import csv
import inspect
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.build import named_layers
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import fitting_side, input_channels
from a2patch.probe.runtime.compat import tools

SIZE = 64
TRAIN, VAL = 16, 8


def draw_dataset(folder: Path, side: int = SIZE, channels: int = 3) -> Path:
    """Draw a small data set, bright squares and discs on noise, and return its YAML file."""
    chance = random.Random(0)
    noise = np.random.default_rng(0)
    for split, count in (("train", TRAIN), ("val", VAL)):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for i in range(count):
            image = noise.integers(60, 100, (side, side, channels), dtype=np.uint8)
            label = chance.randrange(2)
            half = chance.randrange(side // 8, side // 4)
            x, y = (chance.randrange(half, side - half) for _ in range(2))
            rows, columns = np.ogrid[:side, :side]
            square = (abs(rows - y) <= half) & (abs(columns - x) <= half)
            disc = (rows - y) ** 2 + (columns - x) ** 2 <= half**2
            image[disc if label else square] = [chance.randrange(150, 256) for _ in range(channels)]
            _save(image, folder / "images" / split / str(i))
            box = " ".join("{:.6f}".format(v / side) for v in (x + 0.5, y + 0.5, 2 * half + 1, 2 * half + 1))
            (folder / "labels" / split / "{}.txt".format(i)).write_text("{} {}\n".format(label, box))
    description = folder / "data.yaml"
    told = "path: {}\ntrain: images/train\nval: images/val\nnames:\n  0: square\n  1: disc\n".format(folder.as_posix())
    description.write_text(told + ("" if channels == 3 else "channels: {}\n".format(channels)))
    return description


def _save(image: Any, path: Path) -> None:
    """Save an image as upstream reads it: where it has other channels than red, green and blue, each is a page."""
    if image.shape[2] == 3:
        Image.fromarray(image).save(path.with_suffix(".png"))
        return
    first, *others = (Image.fromarray(np.ascontiguousarray(image[..., c])) for c in range(image.shape[2]))
    first.save(path.with_suffix(".tiff"), save_all=True, append_images=others)


def check_train(context: Context, file: str) -> Finding:
    """Check that a model trains for an epoch, validates and predicts, all through `YOLO`."""
    from ultralytics import YOLO

    model = context.smallest(file)  # one that doesn't build is not a fault of training
    folder = context.scratch / "trained" / Path(file).stem
    channels, side = input_channels(model), fitting_side(model.train(), SIZE)
    name = context.trainable(file) if context.is_own(file) else context.name_at(file, context.scales_of(file)[0])
    if channels != 3 and "channels" not in inspect.getsource(tools("data.utils").check_det_dataset):
        raise SkipCheckError("this release trains on images of 3 channels, and the model takes {}".format(channels))
    data = draw_dataset(folder / "drawn", side, channels)
    common: dict[str, Any] = {"data": str(data), "imgsz": side, "batch": 8, "workers": 0, "device": "cpu"}
    common.update(plots=False, project=str(folder / "runs"), exist_ok=True, verbose=False)
    common = _known(common)
    # No AMP: its self-test wants a model from the network. Not deterministic: that alone imports torch's compiler.
    YOLO(name).train(name="train", **_known({"epochs": 1, "amp": False, "deterministic": False}), **common)
    weights = folder / "runs" / "train" / "weights" / "best.pt"
    if not weights.is_file():
        return failed("no best.pt", "Training {} ended without saving its best model.".format(name))
    losses = _losses(weights.parents[1] / "results.csv")
    if not losses or not all(math.isfinite(v) for v in losses.values()):
        return failed(_described(losses), "The losses of an epoch on {} are not finite.".format(name))

    context.channel.trying("validating and predicting from its best.pt")
    trained = YOLO(str(weights))
    fault = _unlearned(trained.model, context.kinds, context.request.block.gain)
    if fault:
        text = "After an epoch, {} of {} is as it was: it doesn't learn."
        return failed(_described(losses), text.format(fault, name))
    metrics = getattr(trained.val(name="val", **common), "results_dict", {})  # the first releases give nothing back
    if not all(math.isfinite(v) for v in metrics.values()):
        return failed("metrics not finite", "Validation from best.pt gives {}.".format(metrics))
    images = str(data.parent / "images" / "val")
    where = {"project": common["project"], "name": "predict"}  # some releases make the folder even to save nothing
    results = trained.predict(images, imgsz=side, device="cpu", save=False, verbose=False, **where)
    boxes = [getattr(result, "boxes", result) for result in results]  # the first releases give the boxes themselves
    if len(boxes) != VAL or any(found is None for found in boxes):
        return failed("{} of {} images".format(len(boxes), VAL), "Prediction from best.pt gives no boxes object.")
    return passed(_described(losses))


def _known(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return those arguments that the release knows; it refuses others."""
    utils = tools("utils")
    keys = getattr(utils, "DEFAULT_CFG_KEYS", None) or getattr(utils, "DEFAULT_CONFIG_KEYS", arguments)
    return {name: value for name, value in arguments.items() if name in keys}


def _losses(table: Path) -> dict[str, float]:
    """Return the training losses of the last epoch."""
    with table.open(newline="") as lines:
        last = list(csv.DictReader(lines))[-1]
    named = {key.strip(): value for key, value in last.items() if key}
    return {key.rpartition("/")[2]: float(v) for key, v in named.items() if key.startswith("train/")}


def _described(losses: dict[str, float]) -> str:
    """Return losses as text."""
    return ", ".join("{} {:.2f}".format(key.replace("_", " "), value) for key, value in losses.items())


def _unlearned(model: Any, classes: tuple[str, ...], gain: str) -> str:
    """Return the name of a residual block of ours whose gain is still zero, as it starts out, or nothing."""
    for name, block in named_layers(model, classes) if gain else ():
        weight = getattr(getattr(block, gain, None), "weight", None)
        if weight is not None and not weight.any():
            return "{}.{}".format(name, gain)
    return ""
