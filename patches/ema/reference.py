"""Efficient multi-scale attention by its formula, number by number."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what an `EMA` is to give, in float64.

    Args:
        module: The module, for its weights and its number of groups.
        x: Input of shape `(B, C, H, W)`.
    """
    size = x.shape[1] // module.groups
    images: list[Any] = []
    for image in x.tolist():
        images.append([])
        for first in range(0, len(image), size):
            images[-1].extend(_group(module, image[first : first + size]))
    return torch.tensor(images, dtype=torch.float64)


def _group(module: Any, group: Any) -> Any:
    """Weigh the positions of one group of channels."""
    one, three = _by_lines(module, group), _around(module.conv3x3, group)
    of_one, of_three = _softmax([_mean(plane) for plane in one]), _softmax([_mean(plane) for plane in three])
    result: list[Any] = []
    for plane in group:
        result.append([])
        for i, row in enumerate(plane):
            logits = [sum(of_one[c] * three[c][i][j] + of_three[c] * one[c][i][j] for c in range(len(group)))
                      for j in range(len(row))]  # fmt: skip
            result[-1].append([value / (1 + exp(-logit)) for value, logit in zip(row, logits)])
    return result


def _by_lines(module: Any, group: Any) -> Any:
    """Weigh each channel by row and by column, then normalise it over the positions."""
    weights, biases = module.conv1x1.weight[:, :, 0, 0].tolist(), module.conv1x1.bias.tolist()
    gains, shifts = module.gn.weight.tolist(), module.gn.bias.tolist()
    rows = [[sum(row) / len(row) for row in plane] for plane in group]
    columns = [[sum(column) / len(column) for column in zip(*plane)] for plane in group]
    result: list[Any] = []
    for c, plane in enumerate(group):
        of_row, of_column = (
            [1 / (1 + exp(-biases[c] - sum(w * mean for w, mean in zip(weights[c], line)))) for line in zip(*means)]
            for means in (rows, columns)
        )
        gated = [[value * of_row[i] * of_column[j] for j, value in enumerate(row)] for i, row in enumerate(plane)]
        mean = _mean(gated)
        deviation = sqrt(_mean([[(value - mean) ** 2 for value in row] for row in gated]) + module.gn.eps)
        result.append([[gains[c] * (value - mean) / deviation + shifts[c] for value in row] for row in gated])
    return result


def _around(conv: Any, group: Any) -> Any:
    """Convolve a group by 3x3, with zeros around it."""
    height, width = len(group[0]), len(group[0][0])
    kernels, biases = conv.weight.tolist(), conv.bias.tolist()
    result = [[[bias] * width for _ in range(height)] for bias in biases]
    for c, kernel in enumerate(kernels):
        for i in range(height):
            for j in range(width):
                for k, plane in enumerate(group):
                    for u in range(max(0, i - 1), min(height, i + 2)):
                        for v in range(max(0, j - 1), min(width, j + 2)):
                            result[c][i][j] += kernel[k][u - i + 1][v - j + 1] * plane[u][v]
    return result


def _mean(plane: Any) -> float:
    values = [value for row in plane for value in row]
    return float(sum(values) / len(values))


def _softmax(values: Any) -> Any:
    powers = [exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]
