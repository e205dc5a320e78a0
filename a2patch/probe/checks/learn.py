"""Does the loss fall?"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch

from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.build import Model, kind
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, coarsest_stride, input_channels
from a2patch.probe.runtime.compat import tools

_STEPS = 12
_SIZES = (0.1, 0.02)
_FALL = 0.9  # of the first loss
_UNDRAWN = ("RTDETRDecoder", "WorldDetect", "YOLOEDetect", "YOLOESegment", "Depth", "SemanticSegment", "Segment26")


def check_learn(context: Context) -> Finding:
    """Check that steps on one batch lower the loss by a tenth."""
    figures = []
    for spec in context.specs:
        label = context.label(spec.file)
        first, lowest = _lowered(context.smallest(spec.file))
        figures.append("{} {:.2f} -> {:.2f}".format(label, first, lowest))
        if not lowest <= _FALL * first:
            text = "{} steps on one batch don't lower the loss of {} by a tenth."
            return failed("; ".join(figures), text.format(_STEPS, label))
    return passed("; ".join(figures))


def _lowered(model: Model) -> tuple[float, float]:
    """Return the first and the lowest loss of steps on a batch of images that a model takes."""
    if not hasattr(model, "loss"):
        raise SkipCheckError("the models of this release don't know their loss")
    model.args = tools("cfg").get_cfg()
    return at_fitting_side(model.train(), _side(model), lambda side: _losses(model, _batch(model, side)))


def _losses(model: Model, batch: dict[str, Any]) -> tuple[float, float]:
    """Return the loss of a batch before any step, and the first that is well below it, or the lowest.

    Well below, and shorter steps where longer ones fail: which positions answer for an object is decided anew each
    time, and the loss jumps with it, by a few per cent, also upward.
    """
    losses: list[float] = []
    for size in _SIZES:
        tried = deepcopy(model).train()
        for step in range(_STEPS + 1):
            tried.zero_grad()
            loss = _loss(tried, batch)
            losses.append(float(loss.detach()))
            if losses[-1] <= _FALL * losses[0] or step == _STEPS:
                break
            loss.backward()
            descend(tried, size)
        if losses[-1] <= _FALL * losses[0]:
            break
    return losses[0], min(losses[1:])


def _loss(model: Model, batch: dict[str, Any]) -> Any:
    """Return the loss of a batch as a single value."""
    return torch.as_tensor(model.loss(batch)[0]).sum()


def _side(model: Model) -> int:
    """Return a side of images on which two objects are large enough to be found at every stride."""
    if kind(model.model[-1]) == "Classify":
        return 128
    return max(4 * coarsest_stride(model), 16 * int(min(getattr(model, "stride", [32]))))


def _batch(model: Model, size: int) -> dict[str, Any]:
    """Return a batch of two images with two objects each, labelled for the head of the model."""
    head = kind(model.model[-1])
    if head.startswith(_UNDRAWN):
        raise SkipCheckError("there are no labels here for a head of the kind {}".format(head))
    torch.manual_seed(3)
    boxes = torch.tensor([[0.3, 0.3, 0.4, 0.4], [0.7, 0.6, 0.3, 0.5], [0.5, 0.5, 0.6, 0.3], [0.3, 0.7, 0.3, 0.3]])
    batch = {"img": torch.rand(2, input_channels(model), size, size), "batch_idx": torch.tensor([0.0, 0, 1, 1])}
    if head == "Classify":
        return {"img": batch["img"], "cls": torch.tensor([0, 1])}
    batch.update(cls=torch.zeros(4, 1), bboxes=boxes)
    if head.startswith("OBB"):
        batch["bboxes"] = torch.cat([boxes, torch.full((4, 1), 0.3)], 1)
    elif head.startswith("Pose"):
        points, width = model.yaml["kpt_shape"]
        batch["keypoints"] = boxes[:, None, :2].repeat(1, points, 1)
        if width == 3:
            batch["keypoints"] = torch.cat([batch["keypoints"], torch.full((4, points, 1), 2.0)], 2)
    elif head.startswith("Segment"):
        batch["masks"] = torch.zeros(2, size // 4, size // 4)
        batch["masks"][:, : size // 8], batch["masks"][:, size // 8 :] = 1, 2
    return batch


def descend(model: Model, size: float) -> None:
    """Move every parameter against its gradient, in steps of one size: importing an optimiser costs seconds."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= size * parameter.grad / (parameter.grad.norm() + 1e-12)
