"""Does the new layer compute its formula?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch

from a2patch.probe.checks.register import parsed
from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.context import Context

LAYER = "DoubleAttentionLayer"


def check_formula(context: Context) -> Finding:
    """Check the layer's values against the paper's formula, written position by position in float64."""
    layer_class = _used(context)
    try:
        worst = _error(layer_class)
    except Exception as error:
        if layer_class is getattr(import_module("ultralytics." + context.modules.defined), LAYER):
            raise
        raise SkipCheckError("parse_model uses another class of that name, which is none of this form") from error
    if worst > 1e-10:
        return failed(
            "off by {:.1e}".format(worst),
            "{} doesn't compute A²-Nets' double attention; a softmax over the wrong axis does this.".format(LAYER),
            "The maps are normalised over the positions, the vectors over the c_n descriptors.",
        )
    return passed("within {:.0e}".format(max(worst, 1e-16)))


def _used(context: Context) -> Any:
    """Return the class that `parse_model` makes a layer of, whatever has its name elsewhere."""
    try:
        return type(parsed(context, [[-1, 1, LAYER, [6, 3]]])[0])
    except Exception:  # that rows don't parse is for the check on registering to say
        return getattr(import_module("ultralytics." + context.modules.parsed), LAYER)


def _error(layer_class: Any) -> float:
    """Return how far what a layer gives is from the formula, relative to the largest value."""
    torch.manual_seed(0)
    worst = 0.0
    for reconstruct in (False, True):
        layer = layer_class(6, 5, 3, reconstruct).double()
        x = torch.randn(2, 6, 4, 3, dtype=torch.float64)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.normal_()
            expected = _by_position(layer, x, reconstruct)
            worst = max(worst, float((layer(x) - expected).abs().max() / expected.abs().max()))
    return worst


def _by_position(layer: Any, x: Any, reconstruct: bool) -> Any:
    """Return double attention the long way, one position after the other."""

    def project(conv: Any, column: Any) -> Any:
        return conv.weight[:, :, 0, 0] @ column + conv.bias

    out = []
    for image in x.flatten(2):  # channels, positions
        columns = list(image.T)
        features = [project(layer.convA, column) for column in columns]
        weights = [torch.exp(project(layer.convB, column)) for column in columns]
        total = sum(weights)
        gathered = sum(torch.outer(features[i], weights[i] / total) for i in range(len(columns)))  # c_m, c_n
        placed = []
        for column in columns:
            vector = torch.exp(project(layer.convV, column))
            z = gathered @ (vector / vector.sum())
            placed.append(project(layer.conv_reconstruct, z) if reconstruct else z)
        out.append(torch.stack(placed, 1))
    return torch.stack(out).reshape(x.shape[0], -1, *x.shape[2:])
