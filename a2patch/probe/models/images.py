"""Images that a model takes: their channels, their size, and what is on them."""

from __future__ import annotations

from contextlib import nullcontext
from math import ceil
from typing import Any, Callable, TypeVar

import torch

from a2patch.probe.events import SkipCheckError, last_line
from a2patch.probe.models.build import Model
from a2patch.probe.models.meta import Valueless

T = TypeVar("T")

_LARGEST = 640  # what upstream trains and predicts at unless it is told otherwise
_BUILT_AT = 256  # upstream runs a model once at this size to measure its strides


def input_channels(model: Model) -> int:
    """Return how many channels a model takes: as many as its first convolution, as it was built, has.

    What its YAML says is only looked at where that differs: some releases overrule it, and some first layers rearrange
    the image before they convolve. Then what the model runs on decides.
    """
    convolution = next((m for m in model.modules() if isinstance(m, torch.nn.Conv2d)), None)
    described = getattr(model, "yaml", None) or {}
    told = [convolution and convolution.in_channels, described.get("channels"), described.get("ch")]
    candidates = list(dict.fromkeys(int(count) for count in told if count)) or [3]
    if len(candidates) == 1:
        return candidates[0]
    return next((count for count in [*candidates, 3] if _runs_on(model, count)), candidates[0])


def _runs_on(model: Model, channels: int) -> bool:
    """Return whether a model runs on images of so many channels."""
    weight = next(model.parameters())
    side = max(_BUILT_AT, small_side(model))
    training = model.training
    try:
        with torch.no_grad(), Valueless() if weight.is_meta else nullcontext():
            # Without values a head computes no boxes; with them, batch norms must not learn.
            model.train(weight.is_meta)(torch.zeros(2, channels, side, side, dtype=weight.dtype))
    except (RuntimeError, ValueError):
        return False
    finally:
        model.train(training)
    return True


def small_side(model: Model) -> int:
    """Return a side of images, in px, at which every map has several positions, and RT-DETR one for each query."""
    return (4 if hasattr(model.model[-1], "num_queries") else 2) * coarsest_stride(model)


def coarsest_stride(model: Model) -> int:
    """Return what the sides of images must be multiples of: the coarsest stride, and 32 at least.

    Behind a convolution without padding a stride is measured that is none; the next multiple of 32 then is taken.
    """
    coarsest = float(max(getattr(model, "stride", torch.tensor([32.0]))))
    return max(32, int(coarsest) if coarsest.is_integer() else 32 * ceil(coarsest / 32))


def smooth_images(model: Model, count: int, side: int) -> Any:
    """Return images of shape `(count, channels, side, side)` with light and dark areas, as photographs have them."""
    channels = input_channels(model)
    torch.manual_seed(4)
    areas = torch.rand(count, channels, max(2, side // 32), max(2, side // 32))
    areas = torch.nn.functional.interpolate(areas, size=(side, side), mode="bilinear", align_corners=False)
    return 0.8 * areas + 0.2 * torch.rand(count, channels, side, side)


def at_fitting_side(model: Model, least: int, attempt: Callable[[int], T]) -> T:
    """Return what an attempt on images gives at the smallest side that a model takes, which mostly is the least.

    A convolution without padding, or a pool, needs more than one position.

    Args:
        model: The model, in the mode that it is tried in.
        least: The side to begin with, in px.
        attempt: What to do, given a side.

    Raises:
        SkipCheckError: The model runs at no side that is tried.
    """
    try:
        return attempt(least)
    except (RuntimeError, ValueError):
        side = fitting_side(model, least)
        if side == least:
            raise  # it was not for the size
    return attempt(side)


def fitting_side(model: Model, least: int) -> int:
    """Return the smallest side, from a least one by doubling, of images that a model takes in the mode that it is in.

    Raises:
        SkipCheckError: It takes none of those that are tried.
    """
    weight = next(model.parameters())
    largest = max(least, _LARGEST)
    why: Exception | None = None
    for side in [*(least << i for i in range(10) if least << i < largest), largest]:
        try:
            with torch.no_grad(), Valueless() if weight.is_meta else nullcontext():
                model(smooth_images(model, 2, side).to(weight.dtype))
        except (RuntimeError, ValueError) as error:
            why = error
        else:
            return side
    told = "it runs on no images of {} to {} px: {}".format(least, largest, last_line(why) if why else "")
    raise SkipCheckError(told) from why
