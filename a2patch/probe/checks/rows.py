"""Rows that name the added classes, and what `parse_model` must make of them."""

from __future__ import annotations

import importlib
from contextlib import suppress
from copy import deepcopy
from typing import Any, Sequence

import torch

from a2patch.probe.models.build import count_parameters
from a2patch.probe.models.context import Context
from a2patch.protocol import ExpectedRow, Form

WIDTH = 0.5
"""The width that the rows are parsed at."""

_READ, _ASKED = 128, 512  # channels in front of each class, and those that its row asks for, which are halved
_SIDE = 64  # px
_THREE = ([-1, -2, -1], [2 * _READ, _READ, 2 * _READ])  # what a class reads that joins three maps, and their channels


def expected(context: Context) -> Sequence[ExpectedRow]:
    """Return rows with all added classes: those that the block names, else what follows from its rules."""
    block = context.request.block
    if block.rows:
        return block.rows
    rows = [ExpectedRow((-1, 1, "Conv", [2 * _READ, 3, 2]), _READ)]
    for name, rule, args in zip(context.classes, block.rules, block.args):
        rows += _of_rule(added_class(context, name), name, rule, list(args))
        rows.append(ExpectedRow((-1, 1, "Conv", [2 * _READ, 1]), _READ))
    return rows


def _of_rule(cls: Any, name: str, rule: str, args: list[Any]) -> list[ExpectedRow]:
    """Return the rows that tell whether a class is read as its rule says."""
    if rule.startswith("join"):
        sources, counts = ([-1, -2], [2 * _READ, _READ]) if joined_maps(cls, rule, args) == 2 else _THREE
        passed = [counts, *args] if rule == "join" else args
        return [
            ExpectedRow((-1, 1, "Conv", [4 * _READ, 3, 1]), 2 * _READ),
            _row((sources, 1, name, args), sum(counts), cls, passed),
        ]
    if rule.startswith("merge"):
        sources = [-1] * joined_maps(cls, rule, args)
        return [_row((sources, 1, name, args), _READ, cls, [_READ, *args] if rule == "merge" else args)]
    if rule not in ("width", "repeat"):
        return [_row((-1, 1, name, args), _READ, cls, [_READ, *args] if rule == "keep" else args)]
    repeats = 2 if rule == "repeat" else 1
    passed = [repeats] if rule == "repeat" else []
    asked = _ASKED if widens(cls, [*passed, *args[1:]]) else 2 * _READ
    passed = [_READ, asked // 2, *passed, *args[1:]]
    return [_row((-1, repeats, name, [asked, *args[1:]]), asked // 2, cls, passed)]


def _row(row: tuple[Any, ...], width: int, cls: Any, passed: Sequence[Any]) -> ExpectedRow:
    """Return a row with the number of parameters that its class has if it is passed what its rule says."""
    return ExpectedRow(row, width, parameters=count_parameters(cls(*passed)))


def widens(cls: Any, rest: Sequence[Any]) -> bool:
    """Return whether a class can give other channels than it reads: what adds its input can't."""
    try:
        with torch.no_grad():
            cls(_READ, _ASKED // 2, *rest).eval()(torch.zeros(2, _READ, 16, 16))
    except Exception:
        return False
    return True


def joined_maps(cls: Any, rule: str, args: Sequence[Any]) -> int:
    """Return how many maps a class that joins or merges some takes: two, or three if it does not take two."""
    for count in (2, 3):
        passed = {"join": [[_READ] * count, *args], "merge": [_READ, *args]}.get(rule, args)
        gives = _READ if rule.startswith("merge") else count * _READ
        with suppress(Exception), torch.no_grad():  # what is wrong with it is for the checks to say
            maps = [torch.zeros(2, _READ, 16, 16) for _ in range(count)]
            if cls(*passed).eval()(maps).shape[1] == gives:
                return count
    return 2


def added_class(context: Context, name: str) -> Any:
    """Return a class that was added, from the module that defines it."""
    return getattr(importlib.import_module("ultralytics." + context.modules.defined), defined_name(context, name))


def defined_name(context: Context, name: str) -> str:
    """Return what a class is called where it is defined."""
    return dict(zip(context.classes, context.kinds)).get(name, name)


def parsed(context: Context, rows: Sequence[Any], width: float = 1.0) -> Any:
    """Return the layers that `parse_model` makes of rows; early releases take the channels of the image as a list."""
    described = {"nc": 1, "depth_multiple": 1.0, "width_multiple": width, "backbone": list(rows), "head": []}
    parse_model = importlib.import_module("ultralytics." + context.modules.parsed).parse_model
    try:
        return parse_model(deepcopy(described), ch=3, verbose=False)[0]
    except TypeError:
        return parse_model(deepcopy(described), ch=[3], verbose=False)[0]


def widths(layers: Any) -> list[int]:
    """Return the channels that each of some layers gives, the first of which reads an image."""
    outputs: list[Any] = [torch.zeros(1, 3, _SIDE, _SIDE)]
    with torch.no_grad():
        for place, layer in enumerate(layers.eval()):
            sources = layer.f if isinstance(layer.f, list) else [layer.f]
            read = [outputs[place + 1 + s] if s < 0 else outputs[s + 1] for s in sources]
            outputs.append(layer(read if isinstance(layer.f, list) else read[0]))
    return [int(output.shape[1]) for output in outputs[1:]]


def single(row: ExpectedRow, layer: Any) -> Any:
    """Return the layer of a row, or the first where repeats made several."""
    return layer[0] if row.layers > 1 else layer


def used(context: Context, name: str) -> Any:
    """Return the class that `parse_model` makes a layer of, whatever has its name elsewhere."""
    try:
        rows = expected(context)
        made = zip(rows, parsed(context, [list(row.row) for row in rows], WIDTH))
        return next(type(single(row, layer)) for row, layer in made if row.row[2] == name)
    except Exception:  # that rows don't parse is for the check on registering to say
        return getattr(importlib.import_module("ultralytics." + context.modules.parsed), name)


def forms(context: Context) -> Sequence[Form]:
    """Return how classes are built that are compared with their formula: few channels, since that takes long."""
    block = context.request.block
    return block.forms or [
        form
        for name, rule, args in zip(context.classes, block.rules, block.args)
        if not rule.startswith(("join", "merge"))
        for form in [_form(context, name, rule, args, 16) or _form(context, name, rule, args, 64)]
        if form
    ]


def _form(context: Context, name: str, rule: str, args: Sequence[Any], channels: int) -> Form | None:
    """Return how a class is built for some channels; None where it does not build for so few."""
    passed: dict[str, list[Any]] = {
        "keep": [channels, *args],
        "width": [channels, channels, *args[1:]],
        "repeat": [channels, channels, 1, *args[1:]],
    }
    form = Form(name, tuple(passed.get(rule, args)), channels)
    try:
        added_class(context, name)(*form.args)
    except Exception:
        return None
    return form
