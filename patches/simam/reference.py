"""Parameter-free attention by its formula, number by number."""

from __future__ import annotations

from math import exp
from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a `SimAM` is to give, in float64.

    Args:
        module: The module, for its lambda.
        x: Input of shape `(B, C, H, W)`.
    """
    images = [[_plane(plane, module.e_lambda) for plane in image] for image in x.tolist()]
    return torch.tensor(images, dtype=torch.float64)


def _plane(plane: Any, e_lambda: float) -> Any:
    """Weigh each value `t` by the inverse of the paper's least energy, `4 (v + l) / ((t - m)^2 + 2 v + 2 l)`."""
    values = [value for row in plane for value in row]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)

    def weighed(value: float) -> float:
        energy = 4 * (variance + e_lambda) / ((value - mean) ** 2 + 2 * variance + 2 * e_lambda)
        return value / (1 + exp(-1 / energy))

    return [[weighed(value) for value in row] for row in plane]
