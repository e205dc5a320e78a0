"""Do the new layers compute what they should: the formula, positions, gradients?"""

from __future__ import annotations

from typing import Any

import torch

from .bench import Bench
from .channel import Outcome, failed, known, passed
from .models import Model, named_layers, tensors

LAYER = "DoubleAttentionLayer"


def check_formula(bench: Bench) -> Outcome:
    """Check the layer's values against the paper's formula, written position by position in float64."""
    from importlib import import_module

    layer_class = getattr(import_module("ultralytics." + bench.modules["defined"]), LAYER)
    torch.manual_seed(0)
    worst = 0.0
    for reconstruct in (False, True):
        layer = layer_class(6, 5, 3, reconstruct).double()
        x = torch.randn(2, 6, 4, 3, dtype=torch.float64)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.normal_()
            expected = _by_position(layer, x, reconstruct)
            worst = max(worst, float((layer(x) - expected).abs().max() / expected.abs().max()))
    if worst > 1e-10:
        return failed(
            "off by {:.1e}".format(worst),
            "{} doesn't compute A²-Nets' double attention; a softmax over the wrong axis does this.".format(LAYER),
            "The maps are normalised over the positions, the vectors over the c_n descriptors.",
        )
    return passed("within {:.0e}".format(max(worst, 1e-16)))


def _by_position(layer: Any, x: Any, reconstruct: bool) -> Any:
    """Return double attention the long way, one position after the other."""

    def project(conv: Any, column: Any) -> Any:
        return conv.weight[:, :, 0, 0] @ column + conv.bias

    out = []
    for image in x.flatten(2):  # channels, positions
        columns = list(image.T)
        features = [project(layer.convA, column) for column in columns]
        weights = [torch.exp(project(layer.convB, column)) for column in columns]
        total = sum(weights)
        gathered = sum(torch.outer(features[i], weights[i] / total) for i in range(len(columns)))  # c_m, c_n
        placed = []
        for column in columns:
            vector = torch.exp(project(layer.convV, column))
            z = gathered @ (vector / vector.sum())
            placed.append(project(layer.conv_reconstruct, z) if reconstruct else z)
        out.append(torch.stack(placed, 1))
    return torch.stack(out).reshape(x.shape[0], -1, *x.shape[2:])


def check_blind(bench: Bench) -> Outcome:
    """Check whether the layers' outputs still vary over the image, in a real forward in float64."""
    blind: dict[str, str] = {}
    figures = []
    for spec in bench.specs:
        model = bench.smallest(spec["file"]).double().train()  # batch statistics: activations of normal size
        spreads = _spreads(model, bench.classes)
        figures.append("{} {:.1e}".format(spec["file"], min(spread for spread, _ in spreads.values())))
        for name, (spread, layer) in spreads.items():
            if spread > 1e-9:
                continue
            expected = getattr(layer, "c_n", 0) == 1
            blind[spec["file"]] = "expected" if expected else name
    if any(reason != "expected" for reason in blind.values()):
        file, name = next((f, r) for f, r in blind.items() if r != "expected")
        return failed(
            "; ".join(figures),
            "The output of {} in {} is the same at every position: what is behind it can't localise.".format(
                name, file
            ),
        )
    if blind:
        return known(
            "; ".join(figures),
            "{} is blind: its c_n is 1, a softmax over one channel is 1 at every position, so the layer's output is "
            "constant over the image and the detector behind it can't localise.".format(", ".join(blind)),
            "It is kept as the tutorial has it; train {} instead.".format(bench.trained),
        )
    return passed("; ".join(figures))


def _spreads(model: Model, classes: tuple[str, ...]) -> dict[str, tuple[float, Any]]:
    """Return, for each of our layers, how far its output departs from its value at the first position, relatively."""
    spreads: dict[str, tuple[float, Any]] = {}

    def measure(name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            flat = output.detach().flatten(2)
            spread = (flat - flat[..., :1]).abs().max() / flat.abs().max()
            spreads[name] = (float(spread), module)

        return hook

    handles = [module.register_forward_hook(measure(name)) for name, module in named_layers(model, classes)]
    torch.manual_seed(0)
    with torch.no_grad():
        model(torch.rand(2, 3, 128, 128, dtype=torch.float64))
    for handle in handles:
        handle.remove()
    return spreads


def check_gradient(bench: Bench) -> Outcome:
    """Check that every parameter of ours gets a finite gradient, and after one step one that is not zero.

    The gain of a new residual block is zero, so what is behind it has no gradient before the gain has moved. The bias
    of convB cancels in its softmax, and with c_n = 1 all of convV does: those are zero by algebra.
    """
    total = 0
    zero_by_algebra = 0
    for spec in bench.specs:
        model = bench.smallest(spec["file"]).train()
        ours = _our_parameters(model, bench.classes)
        _backward(model)
        bad = [n for n, p in ours.items() if p.grad is None or not torch.isfinite(p.grad).all()]
        if bad:
            return failed(
                "{} of {}".format(len(bad), len(ours)),
                "In {} no finite gradient reaches {}.".format(spec["file"], ", ".join(bad)),
                "Something cuts it off: a detach, a no_grad, an output that nothing reads.",
            )
        _step(model)
        _backward(model)
        expected = _zero_by_algebra(model)
        dead = [n for n, p in ours.items() if n not in expected and not p.grad.any()]
        if dead:
            return failed(
                "{} of {}".format(len(dead), len(ours)),
                "In {} the gradient of {} stays zero after a step: it will never learn.".format(
                    spec["file"], ", ".join(dead)
                ),
            )
        total += len(ours)
        zero_by_algebra += len(expected)
    return passed("{} tensors, {} zero by algebra".format(total, zero_by_algebra))


def _our_parameters(model: Model, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters inside our layers, by their names in the model."""
    return {
        "{}.{}".format(name, inner): parameter
        for name, module in named_layers(model, classes)
        for inner, parameter in module.named_parameters()
    }


def _zero_by_algebra(model: Model) -> set[str]:
    """Return the names of the parameters whose gradient is zero in every setting."""
    names = set()
    for name, layer in named_layers(model, (LAYER,)):
        names.add(name + ".convB.bias")
        if layer.c_n == 1:
            names.update((name + ".convV.weight", name + ".convV.bias"))
    return names


def _backward(model: Model) -> None:
    """Run a batch forward and an arbitrary fixed function of the output backward."""
    torch.manual_seed(1)
    model.zero_grad()
    outputs = [t for t in tensors(model(torch.rand(2, 3, 64, 64))) if t.requires_grad]
    sum((t * torch.randn_like(t)).mean() for t in outputs).backward()


def _step(model: Model) -> None:
    """Move every parameter against its gradient, in steps of one size: importing an optimiser costs seconds."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad / (parameter.grad.norm() + 1e-12)
