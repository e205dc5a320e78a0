"""Does each layer read what it should?"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any, NamedTuple

import torch

from a2patch.graph import (
    Comparison,
    Fault,
    Graph,
    GraphError,
    against,
    closest,
    compare,
    correction,
    designed,
    dropped,
    faults,
    inserted_only,
    repaired,
    stale_labels,
)
from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.build import Model, Row, rows
from a2patch.probe.models.catalog import graph
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, coarsest_stride, input_channels
from a2patch.probe.models.meta import Valueless
from a2patch.protocol import ModelSpec


class Examined(NamedTuple):
    """A model's graph, the model that it was compared with, if any, what is wrong with it, and what its head leaves."""

    graph: Graph
    base: str
    compared: Comparison | None
    faults: list[Fault]
    dropped: list[int]


def examine(context: Context, spec: ModelSpec, measured: list[float | None]) -> Examined:
    """Look for what is wrong with the graph of a model, by itself and against its base."""
    file = spec.file
    mine = graph(context.text(file), context.described(file), measured)
    near, compared = _base(context, spec, mine)
    base = context.label(near)
    known = {layer.kind for layer in context.graph(near).layers} if near else set()
    added = {mine.layers[i].kind for i in compared.added} - known if compared else set()
    found = faults(mine, added)
    left: list[int] = []
    if compared and not spec.base:  # the closest model is not one that this must be like
        left = dropped(mine, compared)
        found = [fault for fault in found if fault.rule != "unused" or fault.index not in left]
        compared = designed(mine, compared)
    if compared and (spec.base or inserted_only(mine, compared)):
        found.extend(against(mine, compared, base))
    return Examined(mine, base, compared, found, left)


def check_wiring(context: Context) -> Finding:
    """Check the graph of each model by itself, and against its base: the one it names, else the closest stock one."""
    figures = []
    remarks = []
    for spec in context.every:
        file, label = spec.file, context.label(spec.file)
        try:
            examined = examine(context, spec, _strides_known(context, file))
        except GraphError as error:
            if context.builds(file):
                raise
            raise SkipCheckError("{} doesn't build, and its rows can't be followed: {}".format(label, error)) from error
        if examined.faults:
            return _wrong(context, file, examined)
        unlike = "" if context.is_own(file) or not context.builds(file) else _unlike(context, file)
        if unlike:
            advice = "Look at what the branch of parse_model for our layers leaves behind for the rows after them."
            return failed("1 layer", "{}: {}".format(label, unlike), advice)
        base = ", as " + examined.base if examined.base else ""
        figures.append("{} {} layers".format(label, len(examined.graph.layers)) + base)
        remarks.extend(_remarks(context, spec, examined))
    return passed("; ".join(figures), " ".join(dict.fromkeys(remarks)))  # models of one block are alike


def _base(context: Context, spec: ModelSpec, mine: Graph) -> tuple[str, Comparison | None]:
    """Return the name of the model to compare with, and how this one differs from it."""
    declared = spec.base
    if declared and (context.is_own(spec.file) or context.text(declared)):
        try:
            return declared, compare(mine, context.graph(declared))
        except GraphError as error:
            raise SkipCheckError("the tree has no model {}".format(declared)) from error
    near = closest(mine, context.catalog.stock())
    if near is None or near[1].distance > len(mine.layers) // 2:
        return "", None
    return near


def base_of_own(context: Context) -> str:
    """Return what the user's model is compared with: the one it names, else the closest stock one; empty for none."""
    for spec in context.specs:
        if spec.user:
            with suppress(GraphError, SkipCheckError):  # its own check says why it can't be followed
                return spec.base or _base(context, spec, context.graph(spec.file))[0]
    return ""


def _wrong(context: Context, file: str, examined: Examined) -> Finding:
    """Say what is wrong with a model, and how to put it right where that is known."""
    mine, base, compared, found, _ = examined
    detail = ""
    if compared and (inserted_only(mine, compared) or not compared.removed):
        detail = repaired(context.text(file), mine, correction(mine, compared), context.label(file))
    texts = list(dict.fromkeys(fault.text for fault in found))
    stale = stale_labels(mine)
    hint = ""
    if stale:
        hint = " The row of layer {} is commented {}: its file was numbered before a row was put in.".format(*stale[0])
    return failed(
        "{} of {} layers".format(len({fault.index for fault in found}), len(mine.layers)),
        "In {} {}.{}".format(context.label(file), "; ".join(texts[:3]) + _more(texts[3:]), hint),
        "Wire it as {} is:".format(base) if detail else "Every index after an inserted row moves by one.",
        detail,
    )


def _more(rest: list[str]) -> str:
    return "; and {} more".format(len(rest)) if rest else ""


def _remarks(context: Context, spec: ModelSpec, examined: Examined) -> list[str]:
    """Return what is worth saying of a model of the user's own that is wired well."""
    mine, base, compared, _, left = examined
    remarks = []
    if left:
        others = ", and with it {}".format(", ".join(map(str, left[:-1]))) if left[1:] else ""
        remarks.append("Nothing reads {}: delete its row{}.".format(mine.describe(left[-1]), others))
    if context.is_own(spec.file) and compared:
        remarks.extend(
            "Layer {} reads {}, past {}.".format(mine.describe(past.index), past.source, mine.describe(past.added))
            for past in compared.bypasses
        )
    if context.is_own(spec.file) and compared and compared.distance:
        parts = [
            "{} {}".format("a layer" if len(x) == 1 else "{} layers".format(len(x)), what)
            for x, what in _parts(compared)
            if x
        ]
        near = "Its base is" if spec.base else "The closest stock model is"
        remarks.append("{} {}: {}.".format(near, base, ", ".join(parts)))
    stale = stale_labels(mine)
    if stale:
        remarks.append("The row of layer {} is commented {}; the numbers in the comments are old.".format(*stale[0]))
    return remarks


def _parts(compared: Comparison) -> list[tuple[tuple[Any, ...], str]]:
    return [
        (compared.added, "added"),
        (compared.removed, "left out"),
        (compared.replaced, "of another kind"),
        (compared.rewired, "reading others"),
    ]


def _strides_known(context: Context, file: str) -> list[float | None]:
    """Return the stride of each layer's output; none where the model doesn't build or run, and its rows must do."""
    try:
        return strides_of(context, file)
    except SkipCheckError:
        return []


def strides_of(context: Context, file: str) -> list[float | None]:
    """Return the stride of each layer's output, from the model's shapes alone where it can be run without values.

    Raises:
        SkipCheckError: The model doesn't build.
    """
    try:
        return strides(context.chosen(file))
    except (SkipCheckError, TypeError):  # some need values, and in older releases RT-DETR wants labels in training
        return strides(context.smallest(file))


def strides(model: Model) -> list[float | None]:
    """Return the stride of each layer's output, measured; None for one that gives no single map `(B, C, H, W)`.

    A model without values is run in training, where its head computes no boxes from them; one with values is run in
    evaluation, where its batch norms learn nothing.
    """
    shapes_only = next(model.parameters()).is_meta
    training = model.training
    try:
        model.train(shapes_only)
        return at_fitting_side(model, 4 * coarsest_stride(model), lambda side: _strides_at(model, side))
    finally:
        model.train(training)


def _strides_at(model: Model, side: int) -> list[float | None]:
    """Return the stride of each layer's output, measured on an image of a side."""
    seen: list[float | None] = [None] * len(model.model)

    def hook(index: int) -> Any:
        def measure(module: Any, inputs: Any, output: Any) -> None:
            if torch.is_tensor(output) and output.dim() == 4:
                seen[index] = side / output.shape[-1]

        return measure

    channels = input_channels(model)
    handles = [layer.register_forward_hook(hook(i)) for i, layer in enumerate(model.model)]
    try:
        with torch.no_grad(), Valueless() if next(model.parameters()).is_meta else nullcontext():
            model(torch.zeros(1, channels, side, side))
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _unlike(context: Context, file: str) -> str:
    """Return the first layer that is not as in the same file without our rows: in kind, parameters or sources."""
    if not {layer.kind for layer in context.graph(file).layers} & set(context.classes):
        return ""
    for scale, model in context.built(file).items():
        fault = _difference(rows(model, context.classes), rows(context.bare_model(file, scale)))
        if fault:
            return "at scale {}, {}".format(scale, fault)
    return ""


def _difference(mine: list[Row], base: list[Row]) -> str:
    """Return the first layer, ours not counted, that is not as in a model without ours, or nothing."""
    for i in range(min(len(mine), len(base))):
        a, b = mine[i], base[i]
        if a == b:
            continue
        one, two = ("{} with {:,} parameters reading {}".format(r.type, r.parameters, list(r.sources)) for r in (a, b))
        return "our layers not counted, layer {} is {}, and without our rows {}".format(i, one, two)
    if len(mine) != len(base):
        return "our layers not counted, it has {} layers, and without our rows {}".format(len(mine), len(base))
    return ""
