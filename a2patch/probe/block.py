"""Make models to try a block by: the base with each of its classes where a row of its rule can stand."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any, Mapping, Sequence, TypeVar

import torch

from a2patch.graph import IMAGE, Graph, layers, parse
from a2patch.probe.checks.rows import added_class, joined_maps
from a2patch.probe.checks.wiring import strides_of
from a2patch.probe.events import Channel
from a2patch.probe.models.catalog import graph
from a2patch.probe.models.context import Context
from a2patch.protocol import ModelSpec, VerifyRequest

R = TypeVar("R", bound=VerifyRequest)

_STAGES = ("P3", "P4")
_SIDE = 16
_DEFAULT = 256  # channels, where the row that a class follows does not say how many it gives


def with_models(request: R, channel: Channel) -> R:
    """Return a request with models to try: where it names rules of a block and no model, one for each class.

    A class that keeps the size stands behind the stages P3 and P4 of the base; one that halves it in the place of the
    convolutions that lead to P4 and P5, one that doubles it in that of the upsamplings; one that joins maps in that of
    the first two joins. The files lie in the
    probe's folder.

    Args:
        request: What to try; it names the rules of the classes.
        channel: Where events go.

    Raises:
        PositionError: The base has no such stages.
    """
    if request.models or not request.block.rules:
        return request
    context = Context(request, channel)
    strides = strides_of(context, request.base)
    described = context.described(request.base)
    before = graph(context.text(request.base), described, strides)
    specs = []
    for name, rule, args in zip(request.classes, request.block.rules, request.block.args):
        rows = _rows(context, before, _written(described), name, rule, list(args))
        path = channel.scratch / "{}_{}.yaml".format(request.base.rpartition(".")[0], name)
        split = sum(layer.part == "backbone" for layer in before.layers) + len(rows[1])
        model = {**described, "backbone": rows[0][:split], "head": rows[0][split:]}
        path.write_text(json.dumps(model), encoding="utf-8")  # JSON is YAML
        specs.append(ModelSpec(str(path), request.base, user=True))
    return replace(request, models=tuple(specs), trained=specs[0].file)


def _written(described: Mapping[str, Any]) -> list[list[Any]]:
    return [list(row) for row in (*described["backbone"], *described["head"])]


def _rows(
    context: Context, before: Graph, rows: list[list[Any]], name: str, rule: str, args: list[Any]
) -> tuple[list[list[Any]], Sequence[int]]:
    """Return the rows of the base with a class in them, and the layers of the base that rows were put behind."""
    if rule.startswith("join"):
        several = joined_maps(added_class(context, name), rule, args)
        return _joined(rows, _joins(before), name, args, several), ()
    widened = rule in ("width", "repeat")
    side = _side(context, name, rule, args)
    if side == _SIDE // 2:
        wanted = (lambda row: [row[3][0], *args[1:]]) if widened else (lambda row: args)
        return _replaced(rows, _halvings(before), name, wanted), ()
    if side == _SIDE * 2:
        wanted = (lambda row: [_DEFAULT, *args[1:]]) if widened else (lambda row: args)
        return _replaced(rows, _upsamplings(before), name, wanted), ()
    maps = [i for i, layer in enumerate(before.layers) if layer.stride is not None]
    after = layers([parse(stage) for stage in _STAGES], before, maps, context.classes)
    merged = rule.startswith("merge")
    source: Any = [-1] * joined_maps(added_class(context, name), rule, args) if merged else -1
    added = {i: [source, 1, name, [_channels(rows[i]), *args[1:]] if widened else args] for i in after}
    return _inserted(before, rows, added), after


def _channels(row: Sequence[Any]) -> int:
    """Return the channels that a row asks for."""
    return row[3][0] if row[3] and isinstance(row[3][0], int) else _DEFAULT


def _replaced(rows: list[list[Any]], places: Sequence[int], name: str, args: Any) -> list[list[Any]]:
    """Return rows with a class in the place of those at some places."""
    return [[row[0], 1, name, args(row)] if i in places else row for i, row in enumerate(rows)]


def _joins(before: Graph) -> list[int]:
    """Return the first two layers that join two maps."""
    return [i for i, layer in enumerate(before.layers) if layer.kind == "Concat" and len(layer.sources) == 2][:2]


def _halvings(before: Graph) -> list[int]:
    """Return the last two convolutions of the backbone that halve the size."""
    return [
        i
        for i, layer in enumerate(before.layers)
        if layer.kind == "Conv" and layer.part == "backbone" and i and _doubles(before, i)
    ][-2:]


def _doubles(before: Graph, index: int) -> bool:
    """Return whether the stride behind a layer is twice that before it."""
    strides = [before.layers[i].stride for i in (before.layers[index].sources[0], index)]
    return None not in strides and strides[1] == 2 * (strides[0] or 0)


def _upsamplings(before: Graph) -> list[int]:
    """Return the layers that double the size."""
    return [i for i, layer in enumerate(before.layers) if layer.kind.endswith("Upsample")]


def _side(context: Context, name: str, rule: str, args: Sequence[Any]) -> int:
    """Return the side of the map that a class gives for one of 16; that where it gives none."""
    passed = {
        "keep": [128, *args],
        "width": [128, 128, *args[1:]],
        "repeat": [128, 128, 1, *args[1:]],
    }.get(rule, [*args])
    with suppress(Exception), torch.no_grad():  # what is wrong with it is for the checks to say
        output = added_class(context, name)(*passed).eval()(torch.zeros(2, 128, _SIDE, _SIDE))
        return int(output.shape[2])
    return _SIDE


def _joined(rows: list[list[Any]], places: Sequence[int], name: str, args: list[Any], several: int) -> list[list[Any]]:
    """Return rows with a class in the place of those that join two maps; where it takes three, one is read twice."""
    found = _replaced(rows, places, name, lambda row: args)
    for place in places if several > 2 else ():
        found[place][0] = [*found[place][0], found[place][0][-1]]
    return found


def _inserted(before: Graph, rows: list[list[Any]], added: Mapping[int, list[Any]]) -> list[list[Any]]:
    """Return rows with others put behind some, each of which takes the place of its layer for all that read it."""

    def moved(source: int, place: int) -> int:
        if source == IMAGE:
            return -1
        now = source + sum(i < source for i in added) + (source in added)
        return -1 if now == place - 1 else now

    found: list[list[Any]] = []
    for i, (layer, row) in enumerate(zip(before.layers, rows)):
        sources = [moved(source, len(found)) for source in layer.sources]
        found.append([sources if isinstance(row[0], list) else sources[0], *row[1:]])
        found.extend([added[i]] if i in added else [])
    return found
