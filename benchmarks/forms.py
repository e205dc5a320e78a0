"""Ways to compute double attention with the same parameters, beside the one that is shipped.

Each takes a `DoubleAttentionLayer` and its input of shape `(B, C, H, W)`, and gives what the layer gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

Form = Callable[[Any, torch.Tensor], torch.Tensor]


def straightforward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Read the definition aloud: features, and their reconstruction, at every position."""
    features = layer.convA(x).flatten(2)
    maps = layer.convB(x).flatten(2).softmax(2)
    vectors = layer.convV(x).flatten(2).softmax(1)
    z = torch.bmm(torch.bmm(features, maps.transpose(1, 2)), vectors).reshape(x.shape[0], -1, *x.shape[2:])
    return layer.conv_reconstruct(z) if layer.reconstruct else z


def shipped(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Compute as the layer itself does."""
    result: torch.Tensor = layer(x)
    return result


def fused(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Take the logits of maps and vectors from one convolution: x is read once, and has one gradient less to add up."""
    weight = torch.cat((layer.convB.weight, layer.convV.weight))
    logits = functional.conv2d(x, weight, torch.cat((layer.convB.bias, layer.convV.bias))).flatten(2)
    maps, vectors = logits[:, : layer.c_n].softmax(2), logits[:, layer.c_n :].softmax(1)
    z = torch.bmm(_projected(layer, torch.bmm(x.flatten(2), maps.transpose(1, 2))), vectors)
    return z.reshape(x.shape[0], -1, *x.shape[2:])


def attention(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Call `scaled_dot_product_attention` twice; on a GPU it writes no map out.

    Gather: queries `W_B`, keys and values x; the bias of `convB` cancels. Distribute: queries x, keys `W_V`, values the
    descriptors, the bias of `convV` as the mask.
    """
    positions = x.flatten(2).transpose(1, 2).unsqueeze(1)  # (B, 1, N, C)
    gather, distribute = (
        conv.weight.flatten(1).expand(x.shape[0], 1, -1, -1) for conv in (layer.convB, layer.convV)
    )  # (B, 1, c_n, C)
    attend = functional.scaled_dot_product_attention
    gathered = attend(gather, positions, positions, scale=1.0).squeeze(1).transpose(1, 2)
    descriptors = _projected(layer, gathered).transpose(1, 2).unsqueeze(1)  # (B, 1, c_n, c_m or C)
    mask = layer.convV.bias.expand(x.shape[0], 1, positions.shape[2], -1)
    z = attend(positions, distribute, descriptors, attn_mask=mask, scale=1.0)
    return z.squeeze(1).transpose(1, 2).reshape(x.shape[0], -1, *x.shape[2:])


def _projected(layer: Any, gathered: torch.Tensor) -> torch.Tensor:
    """Apply `convA`, and `conv_reconstruct` where there is one, to what was gathered, of shape `(B, C, c_n)`."""
    descriptors = layer.convA(gathered.unsqueeze(3))
    return (layer.conv_reconstruct(descriptors) if layer.reconstruct else descriptors).squeeze(3)


FORMS: dict[str, Form] = {form.__name__: form for form in (straightforward, shipped, fused, attention)}
