"""Double attention in a module of somebody else's: does it take each softmax over the axis that it should?

The most widely copied code of it names no axis, or another. A module with the convolutions of A²-Nets, and no formula
of its own to compare with, is compared with what each choice of axes would give.
"""

from __future__ import annotations

from typing import Any

import torch

from a2patch.probe.events import Finding, SkipCheckError, failed, passed

_PARTS = ("convA", "convB", "convV")
_AXES = ("the batch", "the channels", "the positions")
_RIGHT = (2, 1)
_NEAR = 1e-8


def resembles(layer: Any) -> bool:
    """Return whether a module has the convolutions of double attention."""
    return all(isinstance(getattr(layer, part, None), torch.nn.Conv2d) for part in _PARTS)


def compare(layer: Any, channels: int) -> Finding:
    """Compare a module with double attention, with its softmaxes over each choice of axes.

    Args:
        layer: The module, in float64 and evaluation.
        channels: The channels that it reads.

    Raises:
        SkipCheckError: It is none of them: its author's own design.
    """
    torch.manual_seed(0)
    x = torch.randn(2, channels, 4, 3, dtype=torch.float64)
    with torch.no_grad():
        given = layer(x)
        choices = [(maps, vectors) for maps in range(3) for vectors in range(3)]
        for axes in sorted(choices, key=lambda axes: axes != _RIGHT):
            expected = _computed(layer, x, axes)
            if _near(given, expected) or (expected.shape == x.shape and _near(given, x + expected)):
                return _judged(layer, axes)
    raise SkipCheckError("it has the convolutions of double attention, and computes something else with them")


def _near(one: Any, other: Any) -> bool:
    return one.shape == other.shape and float((one - other).abs().max()) <= _NEAR * float(other.abs().max())


def _computed(layer: Any, x: Any, axes: tuple[int, int]) -> Any:
    """Return double attention with its softmaxes over some axes: of the maps, and of the vectors."""
    maps = layer.convB(x).flatten(2).softmax(axes[0])
    vectors = layer.convV(x).flatten(2).softmax(axes[1])
    z = layer.convA(x).flatten(2) @ maps.transpose(1, 2) @ vectors
    z = z.reshape(len(x), -1, *x.shape[2:])
    last = getattr(layer, "conv_reconstruct", None)
    return last(z) if last is not None and last.in_channels == z.shape[1] else z


def _judged(layer: Any, axes: tuple[int, int]) -> Finding:
    name = type(layer).__name__
    if axes == _RIGHT:
        return passed("{} is double attention".format(name))
    wrong = [
        "{} over {} instead of {}".format(what, _AXES[axis], _AXES[right])
        for what, axis, right in zip(("its maps (convB)", "its vectors (convV)"), axes, _RIGHT)
        if axis != right
    ]
    return failed(
        "wrong axis",
        "{} looks like double attention, and normalises {}.".format(name, " and ".join(wrong)),
        "Flatten each to (B, c_n, N); then take softmax(2) of the maps, and softmax(1) of the vectors.",
    )
