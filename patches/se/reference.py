"""Squeeze-and-excitation by its formula, number by number."""

from __future__ import annotations

from math import exp
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what an `SE` is to give, in float64.

    Args:
        module: The module, for its weights.
        x: Input of shape `(B, C, H, W)`.
    """
    down, up = (conv.weight[:, :, 0, 0].tolist() for conv in (module.fc1, module.fc2))
    return torch.tensor([_image(image, down, up) for image in x.tolist()], dtype=torch.float64)


def _image(image: Any, down: Any, up: Any) -> Any:
    means = []
    for plane in image:
        values = [value for row in plane for value in row]
        means.append(sum(values) / len(values))
    hidden = [max(0.0, sum(w * mean for w, mean in zip(weights, means))) for weights in down]
    gates = [1 / (1 + exp(-sum(w * value for w, value in zip(weights, hidden)))) for weights in up]
    return [[[gate * value for value in row] for row in plane] for gate, plane in zip(gates, image)]
