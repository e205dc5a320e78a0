"""The pictures of a report: what was measured, drawn. They judge nothing, and one that can't be drawn says why."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any, Callable, Iterator

from a2patch.graph import Graph
from a2patch.probe.checks.sight import BLIND, look
from a2patch.probe.checks.wiring import examine, strides, strides_of
from a2patch.probe.events import SkipCheckError, last_line, missing_library
from a2patch.probe.models.build import named_layers
from a2patch.probe.models.catalog import graph
from a2patch.probe.models.context import Context
from a2patch.probe.models.meta import meta_model


def draw_pictures(request: dict[str, Any], context: Context) -> None:
    """Emit the pictures of the sections that the request names."""
    for section in request["sections"]:
        for spec in context.specs:
            label = context.label(spec["file"])
            context.channel.trying("drawing the {} of {}".format(section, label))
            _attempt(context, section, label, partial(_MAKERS[section], context, spec))


def _attempt(context: Context, section: str, model: str, make: Callable[[], Iterator[Any]]) -> None:
    """Emit the pictures of a section for a model, or why there are none."""
    try:
        for picture in make():
            context.channel.emit("picture", section=section, model=model, **picture)
    except SkipCheckError as skipped:
        _leave_out(context, section, model, str(skipped))
    except Exception as error:  # a picture that fails must not cost the others
        traceback.print_exc()  # to the log
        library = missing_library(error, "ultralytics")
        reason = "it needs the library {}, which is not installed".format(library) if library else last_line(error)
        _leave_out(context, section, model, reason)


def _leave_out(context: Context, section: str, model: str, reason: str) -> None:
    context.channel.emit("unpictured", section=section, model=model, reason=reason)


def _wiring(context: Context, spec: dict[str, Any]) -> Iterator[Any]:
    """Give the graph of a model, that of its base, and the faults; whoever gets them draws them."""
    try:
        measured = strides_of(context, spec["file"])
    except SkipCheckError:  # what doesn't build can still be read
        measured = []
    found = examine(context, spec, measured)
    yield {
        "layers": _plain(found.graph),
        "base": found.base,
        "base_layers": _plain(_base_graph(context, found.base)) if found.base else [],
        "faults": [asdict(fault) for fault in found.faults],
    }


def _base_graph(context: Context, base: str) -> Graph:
    """Return the graph of a stock model, with its strides where it builds."""
    described = context.catalog.model(base)
    measured: list[float | None] = []
    with suppress(Exception):  # it is only drawn
        measured = strides(meta_model({**described, "scale": next(iter(described.get("scales") or ()), "")}))
    return graph(context.catalog.text(base), described, measured)


def _plain(model: Graph) -> list[dict[str, Any]]:
    return [dict(asdict(layer), args=[]) for layer in model.layers]  # arguments may be anything, and are not drawn


def _sight(context: Context, spec: dict[str, Any]) -> Iterator[Any]:
    """Show what was moved, and where each map answered."""
    from a2patch.probe.figures.images import heat, png

    seen = look(context.smallest(spec["file"]).double(), context.classes)
    if not seen.maps:
        raise SkipCheckError("nothing here has positions: the head reads no maps of several")
    maps = []
    for name, answer in seen.maps.items():
        largest = float(answer.max())
        blind = not largest > BLIND
        image = heat(answer / largest if not blind else answer * 0)
        height, width = answer.shape
        maps.append({"name": name, "answer": largest, "blind": blind, "size": [width, height], "image": image})
    yield {"inputs": [png(image) for image in seen.images], "maps": maps}


def _attention(context: Context, spec: dict[str, Any]) -> Iterator[Any]:
    """Show where our layers gather from, and where they hand it to, over a photograph."""
    from a2patch.probe.figures import attention

    model = context.smallest(spec["file"])
    if not named_layers(model, context.classes):
        raise SkipCheckError("it has none of our layers")
    photo = attention.photograph(context.catalog.package)
    fresh = context.is_fresh(spec["file"])
    yield from attention.over(photo, model, context.classes, fresh=fresh)


_MAKERS = {"wiring": _wiring, "sight": _sight, "attention": _attention}
