"""The pictures of a report: what was measured, drawn. They judge nothing, and one that can't be drawn says why."""

from __future__ import annotations

import traceback
from dataclasses import replace
from functools import partial
from typing import Callable, Iterator

from a2patch.graph import Graph
from a2patch.probe.block import with_models
from a2patch.probe.checks.sight import BLIND, look
from a2patch.probe.checks.wiring import examine, strides
from a2patch.probe.events import Channel, SkipCheckError, last_line, missing_library
from a2patch.probe.models.build import named_layers
from a2patch.probe.models.context import Context
from a2patch.protocol import (
    Attention,
    Figure,
    FigureMissing,
    FiguresRequest,
    Layer,
    ModelSpec,
    Section,
    Sight,
    SightMap,
    WiringDrawn,
)


def draw_figures(request: FiguresRequest, channel: Channel) -> None:
    """Emit the figures of the sections that the request names."""
    context = Context(with_models(request, channel), channel)
    for section in request.sections:
        for spec in context.specs:
            label = context.label(spec.file)
            context.channel.trying("drawing the {} of {}".format(section, label))
            _attempt(context, section, label, partial(_MAKERS[section], context, spec))


def _attempt(context: Context, section: Section, model: str, make: Callable[[], Iterator[Figure]]) -> None:
    """Emit the pictures of a section for a model, or why there are none."""
    try:
        for figure in make():
            context.channel.emit(figure)
    except SkipCheckError as skipped:
        _leave_out(context, section, model, str(skipped))
    except Exception as error:  # a picture that fails must not cost the others
        traceback.print_exc()  # to the log
        library = missing_library(error, context.channel.package)
        reason = "it needs the library {}, which is not installed".format(library) if library else last_line(error)
        _leave_out(context, section, model, reason)


def _leave_out(context: Context, section: Section, model: str, reason: str) -> None:
    context.channel.emit(FigureMissing(section, model, reason))


def _wiring(context: Context, spec: ModelSpec) -> Iterator[WiringDrawn]:
    """Give the graph of a model, that of its base, and the faults; whoever gets them draws them."""
    try:
        measured = strides(context.smallest(spec.file))
    except SkipCheckError:  # what doesn't build can still be read
        measured = []
    found = examine(context, spec, measured)
    base = _without_arguments(context.catalog.graph(found.base)) if found.base else ()
    label = context.label(spec.file)
    yield WiringDrawn(label, _without_arguments(found.graph), found.base, base, tuple(found.faults))


def _without_arguments(graph: Graph) -> tuple[Layer, ...]:
    """Return the layers of a graph without their arguments, which may be anything, and are not drawn."""
    return tuple(replace(layer, args=()) for layer in graph.layers)


def _sight(context: Context, spec: ModelSpec) -> Iterator[Sight]:
    """Show what was moved, and where each map answered."""
    from a2patch.probe.figures.images import heat, png

    seen = look(context.smallest(spec.file).double(), context.kinds)
    if not seen.maps:
        raise SkipCheckError("nothing here has positions: the head reads no maps of several")
    maps = []
    for name, answer in seen.maps.items():
        largest = float(answer.max())
        blind = not largest > BLIND
        image = heat(answer / largest if not blind else answer * 0)
        height, width = answer.shape
        maps.append(SightMap(name, largest, blind, (width, height), image))
    here, there = (png(image[[c % len(image) for c in range(3)]]) for image in seen.images)
    yield Sight(context.label(spec.file), (here, there), tuple(maps))


def _attention(context: Context, spec: ModelSpec) -> Iterator[Attention]:
    """Show where our layers gather from, and where they hand it to, over a photograph."""
    from a2patch.probe.figures import attention

    model = context.smallest(spec.file)
    if not named_layers(model, context.kinds):
        raise SkipCheckError("it has none of our layers")
    photo = attention.photograph(context.catalog.package)
    fresh = context.is_fresh(spec.file)
    yield from attention.over(photo, model, context.label(spec.file), context.kinds, fresh=fresh)


_MAKERS: dict[Section, Callable[[Context, ModelSpec], Iterator[Figure]]] = {
    "wiring": _wiring,
    "sight": _sight,
    "attention": _attention,
}
