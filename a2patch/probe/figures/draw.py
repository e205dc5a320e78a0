"""The pictures of a report: what was measured, drawn. They judge nothing, and one that can't be drawn says why."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Callable, Iterator

from a2patch.graph import Graph
from a2patch.probe.block import with_models
from a2patch.probe.checks.sight import BLIND, Answers, look, look_over
from a2patch.probe.checks.wiring import examine, strides
from a2patch.probe.events import Channel, SkipCheckError, last_line, missing_library
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import coarsest_stride, input_channels
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

if TYPE_CHECKING:
    from a2patch.probe.figures.photographs import Photograph

_SMALL = 320  # px of the longest side of a photograph that is looked at in float64
_NONE_READ = "none of the images could be read"


class Drawing:
    """What a report is drawn from.

    Attributes:
        request: What to draw.
        context: The models.
    """

    def __init__(self, request: FiguresRequest, channel: Channel) -> None:
        self.request = request
        self.context = Context(with_models(request, channel), channel)
        self._given: list[Photograph] | None = None

    def multiple(self) -> int:
        """Return what the sides of a photograph must be multiples of, for every model."""
        found = [32]
        for spec in self.context.specs:
            with suppress(SkipCheckError):
                found.append(coarsest_stride(self.context.smallest(spec.file)))
        return max(found)

    def given(self) -> list[Photograph]:
        """Return the user's photographs; those that can't be read are told of once.

        Raises:
            SkipCheckError: None of them can be read.
        """
        from a2patch.probe.figures import photographs

        if self._given is None:
            self._given = photographs.given(self.context.channel, self.request.images, self.multiple())
        if self.request.images and not self._given:
            raise SkipCheckError(_NONE_READ)
        return self._given


def draw_figures(request: FiguresRequest, channel: Channel) -> None:
    """Emit the figures of the sections that the request names."""
    drawing = Drawing(request, channel)
    context = drawing.context
    for section in request.sections:
        for spec in context.specs:
            label = context.label(spec.file)
            context.channel.trying("drawing the {} of {}".format(section, label))
            _attempt(context, section, label, partial(_MAKERS[section], drawing, spec))


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


def _wiring(drawing: Drawing, spec: ModelSpec) -> Iterator[WiringDrawn]:
    """Give the graph of a model, that of its base, and the faults; whoever gets them draws them."""
    context = drawing.context
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


def _sight(drawing: Drawing, spec: ModelSpec) -> Iterator[Sight]:
    """Show what was moved, and where each map answered: on a plain ground, and over the user's photographs."""
    from a2patch.probe.figures.images import grey_jpeg, png

    context = drawing.context
    seen = look(context.smallest(spec.file).double(), context.kinds)
    if not seen.maps:
        raise SkipCheckError("nothing here has positions: the head reads no maps of several")
    label = context.label(spec.file)
    here, there = (png(image[[c % len(image) for c in range(3)]]) for image in seen.images)
    yield Sight(label, (here, there), _answers(seen))
    for photo in drawing.given():
        context.channel.trying("drawing the sight of {} over {}".format(label, photo.name))
        model = context.smallest(spec.file).double()
        over = photo.smaller(_SMALL, drawing.multiple()).as_input(input_channels(model))
        seen = look_over(model, context.kinds, over.double(), fresh=context.is_fresh(spec.file))
        here, there = (grey_jpeg(image[[c % len(image) for c in range(3)]].float()) for image in seen.images)
        yield Sight(label, (here, there), _answers(seen), photo.name)


def _answers(seen: Answers) -> tuple[SightMap, ...]:
    """Return the maps that were seen, as images."""
    from a2patch.probe.figures.images import heat

    maps = []
    for name, answer in seen.maps.items():
        largest = float(answer.max())
        blind = not largest > BLIND
        image = heat(answer / largest if not blind else answer * 0)
        height, width = answer.shape
        maps.append(SightMap(name, largest, blind, (width, height), image, seen.images.shape[-1] / width))
    return tuple(maps)


def _attention(drawing: Drawing, spec: ModelSpec) -> Iterator[Attention]:
    """Show where layers gather from, and where they hand it to, over photographs."""
    from a2patch.probe.figures import attention, photographs

    context, declared = drawing.context, drawing.request.attention
    if not attention.attending(context.smallest(spec.file), declared):
        raise SkipCheckError("it has no layers that attend as their block declares")
    fresh = context.is_fresh(spec.file)
    photos = drawing.given() or [photographs.shipped(context.catalog.package, drawing.multiple())]
    for photo in photos:
        yield from attention.over(photo, context.smallest(spec.file), context.label(spec.file), declared, fresh=fresh)


_MAKERS: dict[Section, Callable[[Drawing, ModelSpec], Iterator[Figure]]] = {
    "wiring": _wiring,
    "sight": _sight,
    "attention": _attention,
}
