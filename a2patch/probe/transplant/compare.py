"""Compare the outputs of two models, bit for bit."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import torch
from PIL import Image

from a2patch.probe.models.build import Model, named_layers, tensors
from a2patch.protocol import Equivalence

SIDE = 640
_GREY = 114  # of the borders that ultralytics puts around an image
_PHOTOGRAPHS = ("bus.jpg", "zidane.jpg")


def inputs(package: Path, channels: int) -> dict[str, Any]:
    """Return what models are tried on, by name: the tree's photograph, if it has one, and noise, `(1, C, 640, 640)`.

    Args:
        package: The package folder.
        channels: How many the models read; a photograph's are repeated.
    """
    found: dict[str, Any] = {}
    for name in _PHOTOGRAPHS:
        path = package / "assets" / name
        if path.is_file() and not found:
            found[name] = _letterboxed(path)[:, [c % 3 for c in range(channels)]]
    found["noise"] = torch.rand(1, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return found


def compare(one: Model, other: Model, images: dict[str, Any], bypassed: tuple[str, ...] = ()) -> list[Equivalence]:
    """Run two models on the same inputs, in evaluation.

    Args:
        one: A model in single precision.
        other: Another.
        images: Inputs of shape `(B, C, H, W)`, by name.
        bypassed: Classes whose modules let their input through unchanged meanwhile, in both models.
    """
    found = []
    for name, image in images.items():
        outputs = []
        for model in (one, other):
            with _bypassing(model, bypassed), torch.no_grad():
                outputs.append(list(tensors(model.eval()(image))))
        found.append(_compared(name, *outputs))
    return found


def _compared(name: str, one: list[Any], other: list[Any]) -> Equivalence:
    values = sum(t.numel() for t in one)
    alike = [t.shape for t in one] == [t.shape for t in other]
    if not alike or not all(bool(torch.isfinite(t).all()) for t in (*one, *other)):
        return Equivalence(name, values, False, None)
    same = bool(one) and all(torch.equal(_bits(a), _bits(b)) for a, b in zip(one, other))
    return Equivalence(name, values, same, max((float((a - b).abs().max()) for a, b in zip(one, other)), default=None))


def _bits(values: Any) -> Any:
    """Return single precision as integers, since the two zeros are equal as numbers."""
    return values.contiguous().view(torch.int32)


@contextmanager
def _bypassing(model: Model, classes: tuple[str, ...]) -> Iterator[None]:
    """Let the modules of some classes pass their input on."""
    handles = [
        module.register_forward_hook(lambda _, inputs, output: inputs[0]) for _, module in named_layers(model, classes)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _letterboxed(path: Path) -> Any:
    """Return an image as ultralytics feeds one: whole, `(1, 3, 640, 640)`, grey around it, values from 0 to 1."""
    with Image.open(path) as image:
        factor = SIDE / max(image.size)
        wide, high = (round(side * factor) for side in image.size)
        canvas = Image.new("RGB", (SIDE, SIDE), (_GREY,) * 3)
        canvas.paste(image.convert("RGB").resize((wide, high)), ((SIDE - wide) // 2, (SIDE - high) // 2))
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1)[None].float() / 255
