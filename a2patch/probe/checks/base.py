"""What a stock model is and computes, as figures that two trees can be compared by."""

from __future__ import annotations

from typing import Any

import torch

from a2patch.graph import at_scale
from a2patch.probe.models.build import Model, build, count_parameters, rows, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, input_channels
from a2patch.protocol import StockModel

_COMPUTED = "n"  # the larger ones are the same code with more channels, and drawing their weights takes seconds
_SAMPLES = 64


def describe(context: Context, file: str, scale: str) -> StockModel:
    """Return the layers and parameters of a stock model at a scale and, of the base at the smallest, its output."""
    model = context.meta_model(file, scale)
    computed = file == context.base and scale in _COMPUTED
    output = _sample(build(at_scale(file, scale), seed=0)) if computed else []
    return StockModel(file, scale, count_parameters(model), tuple(rows(model)), tuple(output))


def _outputs(model: Model, side: int) -> list[Any]:
    """Return what a model gives for a fixed input, in training and in evaluation."""
    torch.manual_seed(1)
    images = torch.rand(2, input_channels(model), side, side)
    with torch.no_grad():
        return [*tensors(model.train()(images)), *tensors(model.eval()(images))]


def _sample(model: Model) -> list[float]:
    """Return the number of values in a model's outputs for a fixed input, their norm, and some of them.

    In evaluation, a fresh network lets next to nothing through to its head, whose biases are all that is seen; in
    training, batch statistics keep every layer's output at a normal size, so that each takes part.
    """
    outputs = at_fitting_side(model.train(), 64, lambda side: _outputs(model, side))
    flat = torch.cat([t.flatten() for t in outputs]).double()
    picked = torch.linspace(0, len(flat) - 1, _SAMPLES).long()
    return [float(len(flat)), float(flat.norm()), *flat[picked].tolist()]
