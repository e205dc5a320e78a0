"""Efficient channel attention by its formula, number by number."""

from __future__ import annotations

from math import exp
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what an `ECA` is to give, in float64.

    Args:
        module: The module, for its weights.
        x: Input of shape `(B, C, H, W)`.
    """
    kernel = module.conv.weight[0, 0].tolist()
    return torch.tensor([_image(image, kernel) for image in x.tolist()], dtype=torch.float64)


def _image(image: Any, kernel: Any) -> Any:
    means = []
    for plane in image:
        values = [value for row in plane for value in row]
        means.append(sum(values) / len(values))
    weighed = []
    for channel, plane in enumerate(image):
        logit = 0.0
        for tap, weight in enumerate(kernel):
            neighbour = channel + tap - len(kernel) // 2
            if 0 <= neighbour < len(means):
                logit += weight * means[neighbour]
        weighed.append([[value / (1 + exp(-logit)) for value in row] for row in plane])
    return weighed
