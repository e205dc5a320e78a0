"""Coordinate attention by its formula, number by number."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a `CoordAtt` is to give, in float64.

    Args:
        module: The module, for its weights, and for whether it is in training.
        x: Input of shape `(B, C, H, W)`.
    """
    images = x.tolist()
    down = module.conv1.weight[:, :, 0, 0].tolist()
    lines = []  # of each image, of its rows and then of its columns: the hidden channels
    for image in images:
        means = [[sum(plane[i]) / len(plane[i]) for plane in image] for i in range(len(image[0]))]
        columns = range(len(image[0][0]))
        means += [[sum(row[j] for row in plane) / len(plane) for plane in image] for j in columns]
        lines.append([[sum(w * m for w, m in zip(weights, mean)) for weights in down] for mean in means])
    for channel in range(len(down)):
        values = iter(_normalised(module.bn, channel, [line[channel] for image in lines for line in image]))
        for line in (line for image in lines for line in image):
            value = next(values)
            line[channel] = value * min(max(value + 3, 0.0), 6.0) / 6
    return torch.tensor([_weighed(module, *pair) for pair in zip(images, lines)], dtype=torch.float64)


def _normalised(bn: Any, channel: int, values: Any) -> Any:
    """Apply a batch norm to all values of a channel: by their own statistics in training, else by those kept."""
    if bn.training:
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
    else:
        mean, variance = bn.running_mean[channel].item(), bn.running_var[channel].item()
    gain, bias = bn.weight[channel].item(), bn.bias[channel].item()
    return [gain * (value - mean) / sqrt(variance + bn.eps) + bias for value in values]


def _weighed(module: Any, image: Any, lines: Any) -> Any:
    """Weigh one image by the hidden channels of its rows and columns."""
    height = len(image[0])

    def gates(conv: Any, lines: Any) -> Any:
        up, bias = conv.weight[:, :, 0, 0].tolist(), conv.bias.tolist()
        logits = [[sum(w * v for w, v in zip(weights, line)) + b for line in lines] for weights, b in zip(up, bias)]
        return [[1 / (1 + exp(-logit)) for logit in channel] for channel in logits]

    rows, columns = gates(module.conv_h, lines[:height]), gates(module.conv_w, lines[height:])
    return [
        [[value * rows[c][i] * columns[c][j] for j, value in enumerate(row)] for i, row in enumerate(plane)]
        for c, plane in enumerate(image)
    ]
