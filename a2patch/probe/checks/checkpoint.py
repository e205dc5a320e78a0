"""Does a checkpoint come back as it was saved, and what is it without the patch?"""

from __future__ import annotations

import importlib
import inspect
import os
from pathlib import Path
from typing import Any

import torch

from a2patch.probe.events import Finding, failed, known, passed
from a2patch.probe.models.build import Model, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, smooth_images
from a2patch.probe.runtime.load import ALLOW, load_model
from a2patch.protocol import CheckpointSaved

SIDE = 128  # px


def check_checkpoint(context: Context, file: str) -> Finding:
    """Check that a model that is saved as ultralytics saves it loads again and gives the same output."""
    model = context.randomized(file, SIDE)  # in which every layer takes part in the output
    path = context.scratch / "{}-checkpoint.pt".format(Path(file).stem)
    torch.save({"epoch": -1, "model": model, "ema": None, "train_args": {}}, path)
    image, expected = at_fitting_side(model, SIDE, lambda side: _tried(model, side))

    allowed = os.environ.get(ALLOW)
    ways = {"load": load_model(path)}
    restricted = _restricted(path)
    if restricted is not None:
        ways["restricted load"] = restricted
    for way, loaded in ways.items():
        got = _detections(loaded.float().eval(), image)
        if got.shape != expected.shape or not torch.equal(got, expected):
            return failed("other output", "After {} {} gives another output.".format(way, context.label(file)))
    context.channel.emit(CheckpointSaved(str(path)))
    figure = "same output" + (", also restricted" if restricted is not None else "")
    if os.environ.get(ALLOW) != allowed:
        return known(
            figure,
            "This release loads no checkpoint, patched or not, under torch {}: torch 2.6 made loading restricted by "
            "default, and the release doesn't ask for more.".format(torch.__version__),
            "Set {}=1 when you train or predict, as this check did, or use a torch before 2.6.".format(ALLOW),
        )
    return passed(figure)


def check_elsewhere(path: Path, package: str) -> Finding:
    """Check that a package loads a checkpoint which another one saved.

    Its meaning, where it fails, is the end of a sentence whose beginning the caller writes: "it has no ...".

    Args:
        path: The checkpoint.
        package: The name of the package folder, by which its own modules may be named.
    """
    try:
        load_model(path)
    except ModuleNotFoundError as error:  # newer releases raise it anew, without a name
        missing = error.name or getattr(error.__cause__, "name", None)
        if str(missing).partition(".")[0] not in ("ultralytics", package):
            raise
        return failed("not loaded", "it has no {}".format(missing))
    return passed("loaded")


def _tried(model: Model, side: int) -> tuple[Any, Any]:
    """Return an image of a side, and what a model gives for it."""
    image = smooth_images(model, 1, side)
    return image, _detections(model, image)


def _detections(model: Model, image: Any) -> Any:
    """Return the decoded output of a model, which comes before what else it returns."""
    with torch.no_grad():
        return next(tensors(model(image)))


def _restricted(path: Path) -> Model | None:
    """Return the model as the release's restricted loading gives it, where the release has one.

    In older releases it puts a stand-in in the place of every class of ultralytics, stock ones too: it gives no model.
    """
    load = getattr(importlib.import_module("ultralytics.nn.tasks"), "torch_safe_load", None)
    if load is None or "safe_only" not in inspect.signature(load).parameters:
        return None
    checkpoint, _ = load(str(path), safe_only=True)
    model = checkpoint["model"]
    return model if isinstance(model, torch.nn.Module) else None
