"""Are the layers as good in half precision as the layers around them?

Rounding errors grow from layer to layer, and much faster in a fresh network than in a trained one, so what comes out at
the end tells little of one layer. Each layer therefore gets the very input that it had in float32, and is measured by
the layers of the same model: of those that ship with upstream none is worse than about four times the typical one.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import torch

from a2patch.probe.events import Finding, SkipCheckError, failed, last_line, passed
from a2patch.probe.models.build import NAMING, Model, kind, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import smooth_images

SIZE = 640
WORST = 10.0  # times the typical error of a layer of the same model


class Way(NamedTuple):
    """A way of computing in fewer bits."""

    name: str
    device: str
    dtype: Any
    complete: bool = False  # the weights as well, as in validation on a GPU, and not only what autocast chooses


class Reading(NamedTuple):
    """What was seen of a model in float32: what each layer read, and what it gave."""

    read: list[Any]
    given: list[Any]


def check_amp(context: Context) -> Finding:
    """Check on the CPU that all models compute finite values in bfloat16 and half, each layer about as well as others.

    Half has more digits but ends at 65504, where a sum over all positions may get.
    """
    return _check(context, [Way("bfloat16", "cpu", torch.bfloat16), Way("half", "cpu", torch.float16)])


def check_amp_on_gpu(context: Context) -> Finding:
    """Check the same in half on a GPU, under autocast as in training, and whole as in validation."""
    ways = [
        Way("half on the GPU", "cuda", torch.float16),
        Way("all half on the GPU", "cuda", torch.float16, complete=True),
    ]
    try:
        return _check(context, ways)
    except RuntimeError as error:  # out of memory on a shared server, a driver or a GPU too old for this torch
        raise SkipCheckError("the GPU can't be used: {}".format(last_line(error))) from error


def _check(context: Context, ways: list[Way]) -> Finding:
    """Check all models in those ways of computing that this machine knows."""
    usable = [way for way in ways if _usable(way)]
    if not usable:
        raise SkipCheckError("torch {} computes in fewer bits nowhere here".format(torch.__version__))
    figures: dict[str, list[str]] = {way.name: [] for way in usable}
    for spec in context.specs:
        label = context.label(spec.file)
        context.channel.trying("computing {} at {} px in fewer bits".format(label, SIZE))
        model = context.randomized(spec.file, SIZE)
        image = smooth_images(model, 1, SIZE)
        seen = _read(model, image)
        for way in usable:
            try:
                fault, figure = _tried(deepcopy(model).to(way.device), image, seen, way)
            except RuntimeError as error:
                if "not implemented for" not in str(error):
                    raise
                continue  # an older torch has some operations in these bits on a GPU only
            if fault:
                return failed(
                    way.name,
                    "In {}, {} of {}.".format(way.name, fault, label),
                    "Keep sums over positions in range, and differences of large values in float32; until then, train "
                    "it with amp=False.",
                )
            figures[way.name].append(figure)
    described = ["{} {}".format(name, ", ".join(values)) for name, values in figures.items() if values]
    return passed("worst layer: " + "; ".join(described))


def _tried(model: Model, image: Any, seen: Reading, way: Way) -> tuple[str, str]:
    """Return what is wrong with a model in fewer bits, or nothing, and how large the error of its worst layer is."""
    endless = _not_finite(model, image, way)
    if endless:
        return endless, ""
    errors = _errors(model, seen, way)
    learned = [error for index, error in errors.items() if any(True for _ in model.model[index].parameters())]
    typical = sorted(learned)[len(learned) // 2] if learned else 0.0
    worst = max(errors, key=lambda index: errors[index])
    figure = "{:.2%} (typical {:.2%})".format(errors[worst], typical)
    if errors[worst] <= WORST * typical:
        return "", figure
    described = "what layer {} ({}) gives is off by {:.2%}, where {:.2%} is typical of a layer"
    return described.format(worst, kind(model.model[worst]), errors[worst], typical), figure


def _usable(way: Way) -> bool:
    """Return whether torch can convolve this way here; where it can't, it raises, or goes on in float32."""
    try:
        image = torch.ones(1, 1, 3, 3, device=way.device)
        with torch.no_grad(), torch.autocast(way.device, dtype=way.dtype):
            return bool(torch.nn.functional.conv2d(image, image).dtype == way.dtype)
    except (AssertionError, AttributeError, RuntimeError, ValueError):
        return False


def _read(model: Model, image: Any) -> Reading:
    """Run a model in float32 and keep what each layer reads and gives."""
    seen = Reading([], [])

    def keep(module: Any, inputs: Any, output: Any) -> None:
        seen.read.append(_mapped(inputs[0], torch.clone))  # the next layer may work in place
        seen.given.append(_mapped(output, torch.clone))

    handles = [layer.register_forward_hook(keep) for layer in model.model]
    with torch.no_grad():
        model(image)
    for handle in handles:
        handle.remove()
    return seen


def _not_finite(model: Model, image: Any, way: Way) -> str:
    """Run a whole model in fewer bits, and return the first layer whose output is not finite, or nothing."""
    found: list[str] = []

    def look(index: int) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            if not found and not all(bool(torch.isfinite(t).all()) for t in tensors(output)):
                found.append("what layer {} ({}) gives is not finite, the first".format(index, kind(module)))

        return hook

    layers = list(model.model)[: -1 if kind(model.model[-1]).startswith(NAMING) else None]
    handles = [layer.register_forward_hook(look(i)) for i, layer in enumerate(layers)]
    _compute(model, image, way)
    for handle in handles:
        handle.remove()
    return found[0] if found else ""


def _errors(model: Model, seen: Reading, way: Way) -> dict[int, float]:
    """Return the error of each layer, the head aside: which boxes it picks may change at once."""
    errors = {}
    for index, layer in enumerate(list(model.model)[:-1]):
        read = _mapped(seen.read[index], lambda t: t.to(way.dtype) if t.is_floating_point() else t.clone())
        pairs = zip(tensors(seen.given[index]), tensors(_compute(layer, read, way)))
        errors[index] = max((_distance(expected, got) for expected, got in pairs), default=0.0)
    return errors


def _compute(part: Any, x: Any, way: Way) -> Any:
    """Run a part of a model in fewer bits."""
    x = _mapped(x, lambda t: t.to(way.device))
    with torch.no_grad():
        if way.complete:
            return part.half()(_mapped(x, lambda t: t.half() if t.is_floating_point() else t))
        with torch.autocast(way.device, dtype=way.dtype):
            return part(x)


def _distance(expected: Any, got: Any) -> float:
    """Return how far a tensor is from another, relative to the other's size; infinite for what is no number."""
    error = float((got.cpu().float() - expected).norm() / (expected.norm() + 1e-30))
    return error if error == error else float("inf")


def _mapped(x: Any, change: Any) -> Any:
    """Return what a layer takes or gives, its tensors changed."""
    if torch.is_tensor(x):
        return change(x)
    if isinstance(x, (list, tuple)):
        return [_mapped(item, change) for item in x]
    return {key: _mapped(item, change) for key, item in x.items()} if isinstance(x, dict) else x
