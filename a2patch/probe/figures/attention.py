"""Where layers of a block look in a photograph: the maps that they gather by, and the vectors that they hand out by."""

from __future__ import annotations

from functools import reduce
from typing import Any, Iterator, Optional

import torch

from a2patch.probe.events import SkipCheckError
from a2patch.probe.figures.images import grey_jpeg, heat
from a2patch.probe.figures.photographs import Photograph
from a2patch.probe.models.build import Model, named_layers
from a2patch.probe.models.images import input_channels
from a2patch.protocol import Attention, AttentionParts, Shares

SHOWN = 3  # descriptors of each layer
EVEN = 1e-3  # of the highest share; less is not worth a colour


def attending(model: Model, declared: tuple[AttentionParts, ...]) -> list[tuple[str, Any, AttentionParts]]:
    """Return the layers of a model that have what their block declares, with their dotted names."""
    return [
        (name, layer, parts)
        for parts in declared
        for name, layer in named_layers(model, parts.classes)
        if _part(layer, parts.maps) is not None and (not parts.vectors or _part(layer, parts.vectors) is not None)
    ]


def over(
    photo: Photograph, model: Model, label: str, declared: tuple[AttentionParts, ...], *, fresh: bool
) -> Iterator[Attention]:
    """Yield the maps of each layer that attends in a model, with the photograph that they lie over.

    The softmaxes are taken here, of what the declared parts give: of the maps over the positions, of the vectors over
    the channels. With Double Attention that is as the paper has it: `B = softmax(convB(x))`, `V = softmax(convV(x))`.

    Args:
        photo: The photograph.
        model: A model in float32. Its mode is changed, and in a fresh one the statistics of its batch norms, which take
            those of the photograph, so that what the layers see is of normal size.
        label: What to call it.
        declared: What is known of layers that attend.
        fresh: Whether the model was never trained.
    """
    image = photo.as_input(input_channels(model))
    if fresh:
        _take_statistics(model, image)
    layers = attending(model, declared)
    seen: dict[str, dict[str, Any]] = {name: {} for name, _, _ in layers}

    def keep(name: str, part: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            seen[name][part] = output.detach()[0]

        return hook

    for name, layer, parts in layers:
        for part in filter(None, (parts.maps, parts.vectors)):
            _part(layer, part).register_forward_hook(keep(name, part))
    with torch.no_grad():
        model.eval()(image)
    shown = grey_jpeg(photo.pixels[0])
    for name, _, parts in layers:
        maps = _given(seen, name, parts.maps)
        vectors = _given(seen, name, parts.vectors) if parts.vectors else None
        yield Attention(
            model=label,
            layer=name,
            parts=(parts.maps, parts.vectors),
            fresh=fresh,
            image=photo.name,
            photo=shown,
            size=_width_and_height(photo.pixels),
            grid=_width_and_height(maps),
            descriptors=len(maps),
            maps=_most_peaked(maps, vectors),
        )


def _part(layer: Any, name: str) -> Any:
    """Return the part of a layer with a dotted name; None if it has none of that name."""
    found = reduce(lambda module, step: getattr(module, step, None), name.split("."), layer)
    return found if isinstance(found, torch.nn.Module) else None


def _given(seen: dict[str, dict[str, Any]], name: str, part: str) -> Any:
    """Return what a part of a layer gave for the photograph, of shape (channels, h, w)."""
    if part not in seen[name]:
        raise SkipCheckError("the {} of {} is not used".format(part, name))
    if seen[name][part].dim() != 3:
        raise SkipCheckError("the {} of {} gives no map".format(part, name))
    return seen[name][part]


def _width_and_height(values: Any) -> tuple[int, int]:
    return int(values.shape[-1]), int(values.shape[-2])


def _take_statistics(model: Model, photo: Any) -> None:
    """Give the batch norms of a fresh model the statistics of a photograph."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(photo)


def _most_peaked(maps: Any, vectors: Any) -> tuple[tuple[int, Shares, Optional[Shares]], ...]:
    """Return the maps and vectors of the descriptors whose maps have the highest peaks; inputs of shape (c_n, h, w).

    Shares are told in units of an even one: 1/N of a map over N positions, 1/c_n of a vector over c_n descriptors.
    """
    gather = maps.flatten(1).softmax(1).reshape(maps.shape) * maps[0].numel()
    order = gather.flatten(1).amax(1).argsort(descending=True)[:SHOWN].tolist()
    if vectors is None or len(vectors) != len(maps):
        return tuple((n, _scaled(gather[n]), None) for n in sorted(order))
    distribute = vectors.softmax(0) * len(vectors)
    return tuple((n, _scaled(gather[n]), _scaled(distribute[n])) for n in sorted(order))


def _scaled(shares: Any) -> Shares:
    """Return a map as an image from its lowest to its highest value, and these values; without one where it is even.

    The scale is logarithmic, so a colour tells the difference of the logits: where a few positions have nearly
    everything, the others would all look like nothing.
    """
    low, high = float(shares.min()), float(shares.max())
    if high - low <= EVEN * high:
        return Shares(low, high, True, "")
    logits = shares.clamp_min(1e-30).log()
    return Shares(low, high, False, heat((logits - logits.min()) / float(logits.max() - logits.min())))
