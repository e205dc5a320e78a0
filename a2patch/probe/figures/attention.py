"""Where our layers look in a photograph: the maps that they gather by, and the vectors that they hand out by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import numpy as np
import torch
from PIL import Image

from a2patch.probe.events import SkipCheckError
from a2patch.probe.figures.images import grey_jpeg, heat
from a2patch.probe.models.build import Model, named_layers
from a2patch.probe.models.images import input_channels
from a2patch.protocol import Attention, Shares

LONGEST = 640  # pixels
MULTIPLE = 32
SHOWN = 3  # descriptors of each layer
EVEN = 1e-3  # of the highest share; less is not worth a colour


def photograph(package: Path) -> Any:
    """Return the photograph of a bus that upstream ships, of shape (1, 3, H, W), its values from 0 to 1.

    Raises:
        SkipCheckError: The tree has it not.
    """
    path = package / "assets" / "bus.jpg"
    if not path.is_file():
        raise SkipCheckError("the tree has no assets/bus.jpg")
    with Image.open(path) as opened:
        scale = LONGEST / max(opened.size)
        width, height = (max(MULTIPLE, round(scale * side / MULTIPLE) * MULTIPLE) for side in opened.size)
        pixels = np.array(opened.convert("RGB").resize((width, height)))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def over(photo: Any, model: Model, label: str, classes: tuple[str, ...], *, fresh: bool) -> Iterator[Attention]:
    """Yield the maps of each of our layers in a model, with the photograph that they lie over.

    Both softmaxes are taken here, of what `convB` and `convV` give, as the paper has it: `B = softmax(convB(x))` over
    the positions, `V = softmax(convV(x))` over the descriptors.

    Args:
        photo: The photograph, (1, 3, H, W).
        model: A model in float32. Its mode is changed, and in a fresh one the statistics of its batch norms, which take
            those of the photograph, so that what the layers see is of normal size.
        label: What to call it.
        classes: Our classes.
        fresh: Whether the model was never trained.
    """
    image = photo[:, [c % 3 for c in range(input_channels(model))]]
    if fresh:
        _take_statistics(model, image)
    layers = [(n, m) for n, m in named_layers(model, classes) if hasattr(m, "convB") and hasattr(m, "convV")]
    seen: dict[str, dict[str, Any]] = {name: {} for name, _ in layers}

    def keep(name: str, part: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            seen[name][part] = output.detach()[0]

        return hook

    for name, layer in layers:
        for part in ("convB", "convV"):
            getattr(layer, part).register_forward_hook(keep(name, part))
    with torch.no_grad():
        model.eval()(image)
    shown = grey_jpeg(photo[0])
    for name, logits in seen.items():
        if len(logits) != 2:
            raise SkipCheckError("the convB and convV of {} are not used".format(name))
        yield Attention(
            model=label,
            layer=name,
            fresh=fresh,
            photo=shown,
            size=_width_and_height(photo),
            grid=_width_and_height(logits["convB"]),
            descriptors=len(logits["convB"]),
            maps=_most_peaked(logits["convB"], logits["convV"]),
        )


def _width_and_height(values: Any) -> tuple[int, int]:
    return int(values.shape[-1]), int(values.shape[-2])


def _take_statistics(model: Model, photo: Any) -> None:
    """Give the batch norms of a fresh model the statistics of a photograph."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(photo)


def _most_peaked(convb: Any, convv: Any) -> tuple[tuple[int, Shares, Shares], ...]:
    """Return the maps and vectors of the descriptors whose maps have the highest peaks; inputs of shape (c_n, h, w).

    Shares are told in units of an even one: 1/N of a map over N positions, 1/c_n of a vector over c_n descriptors.
    """
    gather = convb.flatten(1).softmax(1).reshape(convb.shape) * convb[0].numel()
    distribute = convv.softmax(0) * len(convv)
    order = gather.flatten(1).amax(1).argsort(descending=True)[:SHOWN].tolist()
    return tuple((n, _scaled(gather[n]), _scaled(distribute[n])) for n in sorted(order))


def _scaled(shares: Any) -> Shares:
    """Return a map as an image from its lowest to its highest value, and these values.

    The scale is logarithmic, so a colour tells the difference of the logits: where a few positions have nearly
    everything, the others would all look like nothing.
    """
    logits = shares.clamp_min(1e-30).log()
    low, high = float(shares.min()), float(shares.max())
    even = high - low <= EVEN * high
    span = 1.0 if even else float(logits.max() - logits.min())
    return Shares(low, high, even, heat((logits - logits.min()) / span))
