"""Double attention by its formula, one position after the other."""

from __future__ import annotations

from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what a `DoubleAttentionLayer` is to give, in the type of the input.

    Args:
        module: The module, for its weights.
        x: Input of shape `(B, C, H, W)`.
    """

    def project(conv: Any, column: Any) -> Any:
        return conv.weight[:, :, 0, 0] @ column + conv.bias

    out = []
    for image in x.flatten(2):  # channels, positions
        columns = list(image.T)
        features = [project(module.convA, column) for column in columns]
        weights = [torch.exp(project(module.convB, column)) for column in columns]
        total = sum(weights)
        gathered = sum(torch.outer(features[i], weights[i] / total) for i in range(len(columns)))  # c_m, c_n
        placed = []
        for column in columns:
            vector = torch.exp(project(module.convV, column))
            z = gathered @ (vector / vector.sum())
            placed.append(project(module.conv_reconstruct, z) if module.reconstruct else z)
        out.append(torch.stack(placed, 1))
    return torch.stack(out).reshape(x.shape[0], -1, *x.shape[2:])
