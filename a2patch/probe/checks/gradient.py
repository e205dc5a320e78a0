"""Does every new parameter get a gradient?"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch

from a2patch.probe.checks.learn import descend
from a2patch.probe.events import Finding, SkipCheckError, failed, known, passed
from a2patch.probe.models.build import Model, kind, named_layers, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, input_channels, small_side

_NIL = 1e-12  # of the typical gradient; float64 leaves about 1e-16
_CANCELLED = 1e-9  # of what is added up; float64 leaves about 1e-15
_TRIES = 4


def check_gradient(context: Context) -> Finding:
    """Check that every parameter of ours gets a finite gradient, also after one step, and then one that is not zero.

    The gain of a new residual block is zero, so what is behind it has no gradient before the gain has moved.
    """
    counted = by_algebra = 0
    named: list[str] = []
    of = context.request.block.descriptors
    for spec in context.specs:
        label = context.label(spec.file)
        model = context.smallest(spec.file).double().train()
        added = new_parameters(model, context.unknown_to_stock(spec.file))
        at_first = _unreached(model, added)
        descend(model, 0.01)
        bad = at_first or _unreached(model, added)
        if bad:
            when = "" if at_first else " after the first step"
            return failed(
                "{} of {}".format(len(bad), len(added)),
                "In {}{} no finite gradient reaches {}.".format(label, when, ", ".join(bad)),
                "Something cuts it off, such as a detach or an output that nothing reads, or isn't finite, such as the "
                "logarithm of a negative number.",
            )
        zero = _zero(model, added)
        single = _single(context, model)
        dead = _dead(context, model, added, zero)
        dead = [n for n in dead if not (n in single and spec.file in context.tutorials)]
        if dead:
            why = " With {} = 1 its softmax is 1 whatever it learns.".format(of) if set(dead) <= single else ""
            return failed(
                "{} of {}".format(len(dead), len(added)),
                "In {} the gradient of {} is zero for good: it will never learn.{}".format(label, ", ".join(dead), why),
                "Give the layer a {} of at least 2.".format(of)
                if why
                else "Look for what multiplies it by zero, or cancels it.",
            )
        named.extend("{} in {}".format(n, label) for n in zero if n in single)
        counted += len(added)
        by_algebra += len([n for n in zero if n not in single])
    if not counted:
        raise SkipCheckError(_nothing_to_learn(context))
    figure = "{} tensors, {} zero by algebra".format(counted, by_algebra)
    if named:
        text = "Zero for good, since {} is 1 there: {}.".format(of, ", ".join(named))
        return known(figure, text, "It is kept as the tutorial has it; train {} instead.".format(context.trained))
    return passed(figure)


def _nothing_to_learn(context: Context) -> str:
    """Return why there is no parameter to look at."""
    if any(set(context.classes) & {layer.kind for layer in context.graph(spec.file).layers} for spec in context.specs):
        return "the added layers have nothing to learn"
    return "every layer is one that the stock models have"


def new_parameters(model: Model, kinds: set[str]) -> dict[str, Any]:
    """Return the parameters of the layers of some kinds that are to be trained, by their names in the model."""
    return {
        "model.{}.{}".format(i, inner): parameter
        for i, layer in enumerate(model.model)
        if kind(layer) in kinds
        for inner, parameter in layer.named_parameters()
        if parameter.requires_grad
    }


def _unreached(model: Model, added: dict[str, Any]) -> list[str]:
    """Run a batch forward and backward; return the parameters that no finite gradient reaches."""
    _backward(model)
    return [n for n, p in added.items() if p.grad is None or not torch.isfinite(p.grad).all()]


def _zero(model: Model, added: dict[str, Any]) -> list[str]:
    """Return those whose gradient is nil beside what is typical for the model."""
    norms = [float(p.grad.norm() / p.numel() ** 0.5) for p in model.parameters() if p.grad is not None]
    typical = float(torch.tensor(norms).median())
    return [n for n, p in added.items() if float(p.grad.norm() / p.numel() ** 0.5) <= _NIL * typical]


def _dead(context: Context, model: Model, added: dict[str, Any], zero: list[str]) -> list[str]:
    """Return those of parameters without a gradient that never learn.

    A weight behind a relu that lets nothing through may learn elsewhere: it is dead if it is so for other values of all
    parameters too.
    """
    cancelled = _cancelled(context, model, added, zero)
    dead = [n for n in zero if n not in cancelled]
    tried = deepcopy(model) if dead else model
    mine = {name: parameter for name, parameter in tried.named_parameters() if name in added}
    for seed in range(_TRIES):
        if not dead:
            break
        _draw(mine, seed)
        _backward(tried)
        still = _zero(tried, mine)
        dead = [n for n in dead if n in still]
    return dead


def _cancelled(context: Context, model: Model, added: dict[str, Any], zero: list[str]) -> set[str]:
    """Return the parameters whose gradient is zero by algebra: those of which the block tells, and else the biases.

    A model may have layers of other blocks, and of its user's own, of which nothing is told.
    """
    if not context.request.block.cancelled:
        return _biases(added, zero)
    layers = named_layers(model, context.modules.classes or context.kinds)
    others = {n: p for n, p in added.items() if not any(n.startswith(name + ".") for name, _ in layers)}
    return _declared_cancelled(context, model, layers) | _biases(others, [n for n in zero if n in others])


def _biases(added: dict[str, Any], zero: list[str]) -> set[str]:
    """Return the biases without a gradient whose weights learn: a softmax or a norm behind them cancels them."""

    def module(name: str) -> str:
        return name.rpartition(".")[0]

    learning = {module(name) for name in added if name not in zero and not name.endswith("bias")}
    return {n for n in zero if n.endswith("bias") and added[n].dim() == 1 and module(n) in learning}


def _declared_cancelled(context: Context, model: Model, layers: list[tuple[str, Any]]) -> set[str]:
    """Return the parameters of layers of the block of which it tells that their gradient is zero whatever they learn.

    Some cancel in a softmax. Others only shift whole channels of an output. A batch norm takes such a shift away again,
    right behind the layer as in a residual block, or behind the 1x1 convolutions that read it.
    """
    block = context.request.block
    names = {"{}.{}".format(name, inner) for name, _ in layers for inner in block.cancelled}
    for name, cancelled in _shifts_cancelled(model, layers).items():
        names.update("{}.{}".format(name, inner) for inner in block.shifts if cancelled)
    return names


def _shifts_cancelled(model: Model, layers: list[tuple[str, Any]]) -> dict[str, bool]:
    """Return whether a shift of a whole channel of their outputs comes to nothing, for layers by name.

    Then the gradients of a channel add up to nil, without being nil themselves.
    """
    outputs: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> None:
            output.retain_grad()
            outputs[name] = output

        return hook

    handles = [layer.register_forward_hook(keep(name)) for name, layer in layers]
    _backward(model)
    for handle in handles:
        handle.remove()
    sums = {
        name: (out.grad.sum((0, 2, 3)).abs().max(), out.grad.abs().sum((0, 2, 3)).max())
        for name, out in outputs.items()
    }
    return {name: bool(total <= _CANCELLED * size) for name, (total, size) in sums.items()}


def _draw(parameters: dict[str, Any], seed: int) -> None:
    """Give parameters other values, of the size that weights have."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters.values():
            size = parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 1.0
            parameter.copy_(torch.randn_like(parameter) / size)


def _single(context: Context, model: Model) -> set[str]:
    """Return the names of the parameters that can't learn since a softmax goes over one descriptor."""
    block = context.request.block
    return {
        "{}.{}.{}".format(name, block.vectors, inner)
        for name, layer in (named_layers(model, context.kinds) if block.descriptors else ())
        if getattr(layer, block.descriptors, 0) == 1
        for inner in ("weight", "bias")
    }


def _backward(model: Model) -> None:
    """Run a batch forward and an arbitrary fixed function of the output backward."""
    channels = input_channels(model)

    def run(side: int) -> None:
        torch.manual_seed(1)
        model.zero_grad()
        backward(model, torch.rand(2, channels, side, side, dtype=torch.float64))

    at_fitting_side(model, small_side(model), run)


def backward(forward: Any, images: Any) -> None:
    """Run images forward, and backward a function of the output that is fixed by the random seed."""
    outputs = [t for t in tensors(forward(images)) if t.requires_grad]
    sum((t * torch.randn_like(t)).mean() for t in outputs).backward()
