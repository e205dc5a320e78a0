"""Does an image give the same alone, in a batch, and in another order?

A layer that mixes the images of a batch, such as one whose softmax goes over them, can't be seen with one image. So the
same images go through a model in evaluation alone, together, and together in another order, in float64, and what each
layer gives is compared. A layer that is random, or that remembers, gives one image something else the second time; that
is looked for first, since it is no mixing.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np
import torch

from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.build import Model, kind, new_layers, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, small_side, smooth_images

APART = 1e-9  # of a tensor's largest value; float64 leaves about 1e-14 in the deepest models
_FORGET = "Look for what its forward assigns to `self`, or adds to; change it only where `self.training` is set."
_OF_EVERY_MODULE = frozenset(vars(torch.nn.Module()))  # its parameters, parts and hooks
_IMAGES = 3
_ORDERS = ((0, 1, 2), (2, 0, 1))


class Seen(NamedTuple):
    """What a module read and gave in one call; a head that picks boxes may give two of the same score in any order."""

    read: list[Any]
    gave: list[Any]
    ordered: bool


Record = Dict[str, List[Seen]]  # by module, in the order in which they ended


class Place(NamedTuple):
    """A module where two runs part, and how far; nameless where none does."""

    name: str
    distance: float
    before: bool = False  # what it read was another already


Compare = Callable[[Dict[str, Any]], Place]


def check_alone(context: Context) -> Finding:
    """Check that in evaluation no layer of a model lets an image change what another one gives."""
    figures = []
    remarks: list[str] = []
    for spec in context.specs:
        model = context.randomized(spec.file, small_side(context.chosen(spec.file))).double().eval()
        found = _hoarded(context, model, spec.file) or _tried(model, context.label(spec.file))
        if found.result != "pass":
            return found
        figures.append(found.figure)
        remarks.extend(filter(None, [found.meaning]))
    return passed("; ".join(figures), " ".join(remarks))


def _tried(model: Model, label: str) -> Finding:
    """Try one model."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    images = at_fitting_side(model, small_side(model), lambda side: _taken(model, side))
    unsteady = _located(model, lambda modules: _apart(*_twice(model, modules, images)))
    changed = _changed(model, before)
    if unsteady.name:
        return _unsteady(model, images, label, unsteady, changed)
    mixed = _located(model, lambda modules: _worst(_mixed(model, modules, images)))
    if mixed.name:
        text = "In evaluation {} of {} mixes the images of a batch: what it gives for one depends on the others."
        return failed("{}, off by {:.2g}".format(mixed.name, mixed.distance), text.format(_place_named(mixed), label))
    remark = "In evaluation {} of {} change.".format(", ".join(changed), label) if changed else ""
    return passed("{} {:.0e}".format(label, max(mixed.distance, 1e-16)), remark)


def _hoarded(context: Context, model: Model, file: str) -> Finding | None:
    """Return the fault of a layer of a block that holds more after each image, though it may give the same."""
    layers = new_layers(model, set(context.kinds)) if context.request.block.rules else []
    images = at_fitting_side(model, small_side(model), lambda side: _taken(model, side)) if layers else []
    counts: list[list[int]] = []
    for image in images:
        with torch.no_grad():
            model(image[None])
        counts.append([sum(map(_held, layer.modules())) for _, layer in layers])
    for (name, layer), held in zip(layers, zip(*counts)):
        if list(held) == sorted(set(held)):
            text = "In evaluation {} ({}) of {} keeps what it computes: with each image it holds {:,} values more."
            more = held[-1] - held[-2]
            return failed(
                "{:,} values".format(more), text.format(name, kind(layer), context.label(file), more), _FORGET
            )
    return None


def _held(value: Any) -> int:
    """Return how many values and objects something holds, a module besides its parameters and parts."""
    if torch.is_tensor(value):
        return int(value.numel())
    if isinstance(value, torch.nn.Module):
        own = (held for name, held in vars(value).items() if name not in _OF_EVERY_MODULE)
        return sum(map(_held, own)) + sum(map(_held, value.buffers(recurse=False)))
    if isinstance(value, dict):
        return len(value) + sum(map(_held, value.values()))
    if isinstance(value, (list, tuple, set, deque)):
        return len(value) + sum(_held(each) for each in value if not isinstance(each, torch.nn.Module))
    return 0


def _taken(model: Model, side: int) -> Any:
    """Return images that a model runs on, one at a time."""
    images = smooth_images(model, _IMAGES, side).double()
    with torch.no_grad():
        model(images[:1])
    return images


def _place_named(place: Place) -> str:
    """Return a place as text."""
    return "what reaches {}".format(place.name) if place.before else place.name


def _unsteady(model: Model, images: Any, label: str, place: Place, changed: list[str]) -> Finding:
    """Tell a model that gives one image something else the second time: it is random, or it remembers."""
    steady = _located(model, lambda modules: _apart(*_twice(model, modules, images, seeds=(1, 1))))
    figure = "{}, off by {:.2g}".format(place.name, place.distance)
    text = "In evaluation {} of {} gives the same image something else each time: it {}."
    if not steady.name:
        return failed(
            figure,
            text.format(_place_named(place), label, "draws random numbers"),
            "Let dropout and noise ask `self.training`; torch.nn.functional.dropout is on unless it is told otherwise.",
        )
    kept = " ({})".format(", ".join(changed)) if changed else ""
    return failed(
        figure,
        text.format(_place_named(place), label, "keeps something from one image to the next" + kept),
        _FORGET,
    )


def _changed(model: Model, before: dict[str, Any]) -> list[str]:
    """Return the names of the buffers that are not what they were."""
    return [
        name
        for name, buffer in model.named_buffers()
        if name not in before or before[name].shape != buffer.shape or not _same(before[name], buffer).all()
    ]


def _located(model: Model, compare: Compare) -> Place:
    """Return the innermost module where runs part: the first layer, and what in that parts without reading other."""
    outer = compare({_name(i, layer): layer for i, layer in enumerate(model.model)})
    if not outer.name:
        return outer
    index = next(i for i, layer in enumerate(model.model) if _name(i, layer) == outer.name)
    within = {
        "model.{}.{} ({})".format(index, name, type(module).__name__): module
        for name, module in model.model[index].named_modules()
        if name
    }
    inner = compare(within) if within and not outer.before else outer
    return outer if inner.before or not inner.name else inner


def _name(index: int, layer: Any) -> str:
    return "layer {} ({})".format(index, kind(layer))


def _twice(
    model: Model, modules: dict[str, Any], images: Any, seeds: tuple[int, int] = (0, 1)
) -> tuple[Record, Record]:
    """Return the records of two runs of the first image, each with a seed, and another image in between."""
    first = _recorded(model, modules, images[:1], seeds[0])
    _recorded(model, {}, images[1:2])
    return first, _recorded(model, modules, images[:1], seeds[1])


def _mixed(model: Model, modules: dict[str, Any], images: Any) -> list[Place]:
    """Return where each image parts from itself in a batch, in each order."""
    alone = [_recorded(model, modules, image[None]) for image in images]
    places: list[Place] = []
    for order in _ORDERS:
        batch = _recorded(model, modules, images[list(order)])
        places.extend(_apart(alone[image], _part(batch, alone[image], i)) for i, image in enumerate(order))
    return places


def _worst(places: list[Place]) -> Place:
    """Return the place that is furthest apart, a named one first."""
    return max(places, key=lambda place: (bool(place.name), place.distance))


def _recorded(model: Model, modules: dict[str, Any], images: Any, seed: int = 0) -> Record:
    """Run images, and return what modules read and gave; copies, since others work in place."""
    record: Record = {}
    reading: dict[str, list[list[Any]]] = {name: [] for name in modules}

    def before(name: str) -> Any:
        def hook(module: Any, inputs: Any) -> None:
            reading[name].append([t.clone() for t in tensors(inputs)])

        return hook

    def after(name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            gave = [t.clone() for t in tensors(output)]
            record.setdefault(name, []).append(Seen(reading[name].pop(), gave, module is not model.model[-1]))

        return hook

    handles = [module.register_forward_pre_hook(before(name)) for name, module in modules.items()]
    handles += [module.register_forward_hook(after(name)) for name, module in modules.items()]
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    try:
        with torch.no_grad():
            model(images)
    finally:
        for handle in handles:
            handle.remove()
    return record


def _part(batch: Record, alone: Record, index: int) -> Record:
    """Return what of a batch belongs to one of its images, cut as the record of that image alone is shaped."""

    def cut(together: list[Any], single: list[Any]) -> list[Any]:
        return [_slice(a, b, index) for a, b in zip(together, single)]

    return {
        name: [Seen(cut(a.read, b.read), cut(a.gave, b.gave), b.ordered) for a, b in zip(batch.get(name, ()), calls)]
        for name, calls in alone.items()
    }


def _slice(together: Any, single: Any, index: int) -> Any:
    """Return an image's part of a tensor; the tensor itself where it is of no batch or holds it otherwise."""
    if together.dim() == single.dim():
        for dim, (many, one) in enumerate(zip(together.shape, single.shape)):
            rest = [*together.shape[:dim], one, *together.shape[dim + 1 :]]
            if many == _IMAGES * one and rest == list(single.shape):
                return together.narrow(dim, index * one, one)
    return together


def _apart(one: Record, other: Record) -> Place:
    """Return the first module that gives something else in another run though it reads the same.

    Where there is none, it is what reached a module, and where nothing differs, how far apart the runs are at most.
    """
    furthest = 0.0
    reached = Place("", 0.0)
    for name, calls in one.items():
        for a, b in zip(calls, other.get(name, ())):
            gave = max((_distance(x, y, a.ordered) for x, y in zip(a.gave, b.gave)), default=0.0)
            furthest = max(furthest, gave)
            if gave <= APART:
                continue
            read = max((_distance(x, y) for x, y in zip(a.read, b.read)), default=0.0)
            if read <= APART:
                return Place(name, gave)
            reached = reached if reached.name else Place(name, read, before=True)
    return reached if reached.name else Place("", furthest)


def _distance(one: Any, other: Any, ordered: bool = True) -> float:
    """Return how far apart two tensors are, beside the largest value; nothing where they can't be compared.

    Without order, only their values count.
    """
    if one.shape != other.shape or not one.numel():
        return 0.0
    if not ordered:
        one, other = (t.flatten().sort().values for t in (one, other))
    differ = ~_same(one, other)
    if not bool(differ.any()):
        return 0.0
    apart = float((one[differ] - other[differ]).abs().max() / (one.abs().max() + 1e-300))
    return apart if apart == apart else float("inf")


def _same(one: Any, other: Any) -> Any:
    """Return where two tensors are the same; NaN is the same as NaN."""
    return (one == other) | (torch.isnan(one) & torch.isnan(other))
