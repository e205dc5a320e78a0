"""Strides as the rows of a model tell them, for tests that do without torch; the probe measures them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from a2patch.graph import IMAGE, Graph, Layer

# The place of the stride among a row's arguments, and what it is where the row does not say.
_STRIDED = {
    "Conv": (2, 1),
    "DWConv": (2, 1),
    "GhostConv": (2, 1),
    "RepConv": (2, 1),
    "SCDown": (2, 1),
    "GhostBottleneck": (2, 1),
    "MaxPool2d": (1, None),
    "AvgPool2d": (1, None),
}
_ENLARGING = {"Upsample": (1, None), "ConvTranspose2d": (2, 1), "ConvTranspose": (2, 2), "DWConvTranspose2d": (2, 1)}
_FIXED = {"ADown": 2, "AConv": 2, "Focus": 2, "HGStem": 4}
_KEEPING = frozenset(
    [
        "A2C2f",
        "AIFI",
        "Bottleneck",
        "BottleneckCSP",
        "C1",
        "C2",
        "C2f",
        "C2fAttn",
        "C2fCIB",
        "C2fPSA",
        "C2PSA",
        "C3",
        "C3Ghost",
        "C3k",
        "C3k2",
        "C3TR",
        "C3x",
        "ELAN1",
        "HGBlock",
        "Identity",
        "LightConv",
        "PSA",
        "RepC3",
        "RepNCSPELAN4",
        "SPP",
        "SPPELAN",
        "SPPF",
        "ZeroPad2d",
        "ImagePoolingAttn",
        "CBLinear",
        "BatchNorm2d",
        "DoubleAttentionBlock",
        "DoubleAttentionLayer",
    ]
)


def with_strides(graph: Graph) -> Graph:
    """Return a graph with the stride of each layer whose kind is known, and that has none yet."""
    layers: list[Layer] = []
    for layer in graph.layers:
        before = [1.0 if source == IMAGE else layers[source].stride for source in layer.sources]
        told = layer.stride if layer.stride is not None else _stride(layer.kind, layer.args, before)
        layers.append(replace(layer, stride=told))
    return Graph(tuple(layers))


def _stride(kind: str, args: tuple[Any, ...], before: list[float | None]) -> float | None:
    """Return the stride of a layer's output, where its kind is known."""
    if kind == "CBFuse":  # it resizes everything to its last source
        return before[-1]
    if kind == "Concat":
        return before[0] if len(set(before)) == 1 else None
    if len(before) != 1 or before[0] is None:
        return before[0] if kind == "ImagePoolingAttn" else None
    factor = _factor(kind, args)
    return None if factor is None else before[0] * factor


def _factor(kind: str, args: tuple[Any, ...]) -> float | None:
    """Return by what a layer with one source multiplies its stride."""
    if kind in _KEEPING:
        return 1
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "ResNetLayer" and len(args) > 3:  # its first one is the stem
        return 4 if args[3] else float(args[2])
    for table in (_STRIDED, _ENLARGING):
        if kind in table:
            place, value = table[kind]
            value = args[place] if place < len(args) else value if value is not None or kind == "Upsample" else args[0]
            if not isinstance(value, (int, float)) or not value:
                return None
            return 1 / value if table is _ENLARGING else value
    return None
