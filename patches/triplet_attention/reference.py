"""Triplet attention by its formula, number by number."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a `TripletAttention` is to give, in float64.

    Args:
        module: The module, for its weights, and for whether it is in training.
        x: Input of shape `(B, C, H, W)`.
    """
    images = x.tolist()
    c, h, w = x.shape[1:]
    hc = _gates(module.gate_hc, [_pooled(list(zip(*image))) for image in images])
    cw = _gates(module.gate_cw, [_pooled([list(zip(*plane)) for plane in image]) for image in images])
    across = [[[[plane[j][k] for plane in image] for k in range(w)] for j in range(h)] for image in images]
    hw = _gates(module.gate_hw, [_pooled(lines) for lines in across])
    result = torch.empty(x.shape, dtype=torch.float64)
    for b, image in enumerate(images):
        for i in range(c):
            for j in range(h):
                for k in range(w):
                    result[b, i, j, k] = image[i][j][k] * (hc[b][j][i] + cw[b][i][k] + hw[b][j][k]) / 3
    return result


def _pooled(lines: Any) -> Any:
    """Return the maximum and the mean of each line that stands on a plane."""
    return [[max(line) for line in row] for row in lines], [[sum(line) / len(line) for line in row] for row in lines]


def _gates(gate: Any, planes: Any) -> Any:
    """Return the weights of one plane of every image, from its maxima and means."""
    kernel = gate.conv.weight[0].tolist()
    logits = [_convolved(pair, kernel) for pair in planes]
    if gate.bn.training:
        values = [value for plane in logits for row in plane for value in row]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
    else:
        mean, variance = gate.bn.running_mean.item(), gate.bn.running_var.item()
    scale, shift = gate.bn.weight.item() / sqrt(variance + gate.bn.eps), gate.bn.bias.item()
    return [[[1 / (1 + exp(-scale * (value - mean) - shift)) for value in row] for row in plane] for plane in logits]


def _convolved(pair: Any, kernel: Any) -> Any:
    height, width, reach = len(pair[0]), len(pair[0][0]), len(kernel[0]) // 2
    result = [[0.0] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            for u in range(max(0, i - reach), min(height, i + reach + 1)):
                for v in range(max(0, j - reach), min(width, j + reach + 1)):
                    for plane, weights in zip(pair, kernel):
                        result[i][j] += weights[u - i + reach][v - j + reach] * plane[u][v]
    return result
