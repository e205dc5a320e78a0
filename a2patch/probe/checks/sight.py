"""Does what the head reads still know where things are?

A patch of the image is moved, and what answers is measured, one image at a time: a layer that mixes the images of a
batch would else see the one place in the other. For that every convolution and pool is made circular, so
that the borders, which tell a position by themselves, are gone: behind a layer whose output is the same everywhere,
nothing at all answers then, to the last bits of float64, and a map that sees answers by many orders more. The batch
norms take their statistics from one batch, so that a fresh network's activations are of normal size.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch

from a2patch.probe.events import Finding, SkipCheckError, failed, known, passed
from a2patch.probe.models.build import Model, kind, named_layers
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, coarsest_stride, input_channels

BLIND = 1e-9  # float64 leaves about 1e-14, and the weakest sight that was seen is about 1e-4


def check_sight(context: Context) -> Finding:
    """Check that each of our layers and each map that a head reads answers to where a patch stands."""
    figures: list[str] = []
    blind: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    counted = context.request.block.descriptors
    for spec in context.specs:
        file = spec.file
        model = context.smallest(file).double()
        answers = answers_to_a_move(model, context.kinds)
        if not answers:
            continue
        figures.append(
            "{} {}".format(context.label(file), ", ".join("{} {:.2g}".format(*pair) for pair in answers.items()))
        )
        dark = [name for name, answer in answers.items() if not answer > BLIND]
        if dark:
            blind[file] = dark
            reasons[file] = _single(context, model)
    if not figures:
        raise SkipCheckError("nothing here has positions: the head reads no maps of several")
    if not blind:
        return passed("; ".join(figures))
    file = next((f for f in blind if not (reasons[f] and f in context.tutorials)), next(iter(blind)))
    text = "{} is blind: {} {} the same wherever things are in the image, so the detector can't localise.".format(
        context.label(file), _listed(blind[file]), "is" if len(blind[file]) == 1 else "are"
    )
    if reasons[file]:
        text += " The {} of {} is 1, and a softmax over one channel is 1 at every position.".format(
            counted, reasons[file]
        )
    if file in context.tutorials and reasons[file]:
        advice = "It is kept as the tutorial has it; train {} instead.".format(context.trained)
        return known("; ".join(figures), text, advice)
    return failed(
        "; ".join(figures), text, "Give the layer a {} of at least 2.".format(counted) if reasons[file] else ""
    )


def _single(context: Context, model: Model) -> str:
    """Return the first of our layers whose softmax goes over one descriptor; empty if there is none."""
    counted = context.request.block.descriptors
    layers = named_layers(model, context.kinds) if counted else []
    return next((name for name, layer in layers if getattr(layer, counted, 0) == 1), "")


def _listed(names: list[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else "{} and {}".format(", ".join(names[:-1]), names[-1])


class Answers(NamedTuple):
    """What was seen of a patch that was moved."""

    images: Any  # (2, channels, H, W), with the patch here and there
    maps: dict[str, Any]  # how much each position of a map answers, (h, w), by `layer <name>` and `input <number>`


def answers_to_a_move(model: Model, classes: tuple[str, ...]) -> dict[str, float]:
    """Return how much each of our layers and each map that the head reads changes when a patch is moved.

    Args:
        model: A model in float64. Its padding, its batch norms' statistics and its mode are changed.
        classes: Our classes.

    Returns:
        The largest change over the largest value, by `layer <name>` and `input <number>`.
    """
    return {name: float(answer.max()) for name, answer in look(model, classes).maps.items()}


def look(model: Model, classes: tuple[str, ...]) -> Answers:
    """Move a patch and see where each of our layers and each map that the head reads changes.

    Args:
        model: A model in float64. Its padding, its batch norms' statistics and its mode are changed.
        classes: Our classes.

    Returns:
        The images, and at each position of each map the largest change over the map's largest value.
    """
    _prepare(model)
    return at_fitting_side(model, 4 * coarsest_stride(model), lambda side: _seen(model, classes, side))


def _seen(model: Model, classes: tuple[str, ...], side: int) -> Answers:
    """Move a patch in images of a side."""
    channels = input_channels(model)
    torch.manual_seed(0)
    model.train()
    with torch.no_grad():
        model(torch.rand(2, channels, side, side, dtype=torch.float64))
    model.eval()
    return _answers(model, classes, _moved_patch(torch.full((1, channels, side, side), 0.45, dtype=torch.float64)))


def look_over(model: Model, classes: tuple[str, ...], photo: Any, *, fresh: bool) -> Answers:
    """Move a patch over a photograph, and see what changes, as `look` does.

    Args:
        model: A model in float64. Its padding and its mode are changed; in a fresh one the batch norms' statistics
            too, which become those of the photograph.
        classes: Our classes.
        photo: The photograph, (1, channels, H, W), in float64.
        fresh: Whether the model was never trained.
    """
    _prepare(model)
    torch.manual_seed(0)
    if fresh:
        with torch.no_grad():
            model.train()(photo)
    model.eval()
    return _answers(model, classes, _moved_patch(photo))


def _answers(model: Model, classes: tuple[str, ...], images: Any) -> Answers:
    """Return how the maps of two images differ."""
    here, there = (_maps(model, classes, image[None]) for image in images)
    return Answers(images, {name: _answer(here[name], there[name]) for name in here})


def _maps(model: Model, classes: tuple[str, ...], image: Any) -> dict[str, Any]:
    """Return what each of our layers gives, and each map that the head reads, for one image."""
    seen: dict[str, Any] = {}
    handles = list(_watch(model, classes, seen))
    with torch.no_grad():
        model(image)
    for handle in handles:
        handle.remove()
    return seen


def _answer(here: Any, there: Any) -> Any:
    """Return how much each position of a map answers, `(h, w)`: the largest change over the map's largest value."""
    largest = torch.max(here.abs().max(), there.abs().max())
    return (there - here)[0].abs().amax(0) / (largest + 1e-300)


def _prepare(model: Model) -> None:
    """Take the borders away, and let the batch norms take their statistics from one batch."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.padding_mode = "circular"
        elif isinstance(module, (torch.nn.MaxPool2d, torch.nn.AvgPool2d)):
            module.register_forward_pre_hook(_wrapped_by(module.padding))
            module.padding = 0
        elif isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0


def _wrapped_by(padding: Any) -> Any:
    """Return a hook that pads a pool's input with what stands at the other side; a pool itself can't."""
    high, wide = padding if isinstance(padding, (list, tuple)) else (padding, padding)

    def hook(module: Any, inputs: Any) -> Any:
        x = inputs[0]
        down = torch.arange(-high, x.shape[2] + high) % x.shape[2]
        across = torch.arange(-wide, x.shape[3] + wide) % x.shape[3]
        return (x[:, :, down][:, :, :, across], *inputs[1:])

    return hook


def _moved_patch(ground: Any) -> Any:
    """Return an image with a patch of noise, and the same with the patch half the image further, in both directions."""
    high, wide = ground.shape[2:]
    quarter = min(high, wide) // 4
    patch = torch.rand(1, ground.shape[1], quarter, quarter, dtype=ground.dtype)
    images = []
    for top, left in ((high // 8, wide // 8), (high // 8 + high // 2, wide // 8 + wide // 2)):
        image = ground.clone()
        image[..., top : top + quarter, left : left + quarter] = patch
        images.append(image)
    return torch.cat(images)


def _watch(model: Model, classes: tuple[str, ...], seen: dict[str, Any]) -> Iterator[Any]:
    """Keep the outputs of our layers and the maps that the head reads, if it reads maps of several positions."""

    def layer_hook(name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            seen["layer " + name] = output.clone()  # the next layer may work in place

        return hook

    def head_hook(module: Any, inputs: Any) -> None:
        maps = inputs[0] if isinstance(inputs[0], (list, tuple)) else [inputs[0]]
        for number, item in enumerate(maps):
            if torch.is_tensor(item) and item.dim() == 4:
                seen["input {}".format(number)] = item.clone()

    for index, layer in enumerate(model.model):
        if kind(layer) in classes:
            yield layer.register_forward_hook(layer_hook(str(index)))
    if kind(model.model[-1]) != "Classify":  # which may forget where things are
        yield model.model[-1].register_forward_pre_hook(head_hook)
