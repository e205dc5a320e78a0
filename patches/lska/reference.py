"""Large separable kernel attention by its formula, number by number."""

from __future__ import annotations

from typing import Any

import torch


def reference(module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return what an `LSKA` is to give, in float64.

    Args:
        module: The module, for its weights and dilation.
        x: Input of shape `(B, C, H, W)`.
    """
    return torch.tensor([_image(module, image) for image in x.tolist()], dtype=torch.float64)


def _image(module: Any, image: Any) -> Any:
    seen = []
    for channel, plane in enumerate(image):
        for conv in (module.local_h, module.local_v, module.dilated_h, module.dilated_v):
            plane = _depthwise(conv, channel, plane)
        seen.append(plane)
    weights, biases = module.conv1.weight[:, :, 0, 0].tolist(), module.conv1.bias.tolist()
    result = []
    for c, plane in enumerate(image):
        gates = [
            [biases[c] + sum(w * other[i][j] for w, other in zip(weights[c], seen)) for j in range(len(plane[0]))]
            for i in range(len(plane))
        ]
        result.append([[value * gate for value, gate in zip(*pair)] for pair in zip(plane, gates)])
    return result


def _depthwise(conv: Any, channel: int, plane: Any) -> Any:
    """Convolve one plane along its rows or columns, with zeros around it."""
    height, width, step = len(plane), len(plane[0]), conv.dilation[0]
    taps = conv.weight[channel, 0].tolist()  # a single row or a single column
    middle = len(taps) // 2, len(taps[0]) // 2
    result = [[conv.bias[channel].item()] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            for u, row in enumerate(taps):
                for v, weight in enumerate(row):
                    y, x = i + step * (u - middle[0]), j + step * (v - middle[1])
                    if 0 <= y < height and 0 <= x < width:
                        result[i][j] += weight * plane[y][x]
    return result
