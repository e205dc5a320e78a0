"""The convolutional block attention module by its formula, number by number."""

from __future__ import annotations

from math import exp
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a `CBAM` is to give, in float64.

    Args:
        module: The module, for its weights.
        x: Input of shape `(B, C, H, W)`.
    """
    down, up = (module.mlp[at].weight[:, :, 0, 0].tolist() for at in (0, 2))
    kernel = module.conv.weight[0].tolist()
    images = [_by_position(_by_channel(image, down, up), kernel) for image in x.tolist()]
    return torch.tensor(images, dtype=torch.float64)


def _by_channel(image: Any, down: Any, up: Any) -> Any:
    """Weigh the channels by the perceptron's answers to their means and to their maxima."""
    planes = [[value for row in plane for value in row] for plane in image]
    logits = [0.0] * len(image)
    for pooled in ([sum(values) / len(values) for values in planes], [max(values) for values in planes]):
        hidden = [max(0.0, sum(w * value for w, value in zip(weights, pooled))) for weights in down]
        for channel, weights in enumerate(up):
            logits[channel] += sum(w * value for w, value in zip(weights, hidden))
    return [[[value / (1 + exp(-logit)) for value in row] for row in plane] for logit, plane in zip(logits, image)]


def _by_position(image: Any, kernel: Any) -> Any:
    """Weigh the positions by a convolution of their means and maxima over the channels."""
    height, width, reach = len(image[0]), len(image[0][0]), len(kernel[0]) // 2
    result = [[[0.0] * width for _ in range(height)] for _ in image]
    for i in range(height):
        for j in range(width):
            logit = 0.0
            for di in range(-reach, reach + 1):
                for dj in range(-reach, reach + 1):
                    if 0 <= i + di < height and 0 <= j + dj < width:
                        values = [plane[i + di][j + dj] for plane in image]
                        logit += kernel[0][di + reach][dj + reach] * sum(values) / len(values)
                        logit += kernel[1][di + reach][dj + reach] * max(values)
            for channel, plane in enumerate(image):
                result[channel][i][j] = plane[i][j] / (1 + exp(-logit))
    return result
