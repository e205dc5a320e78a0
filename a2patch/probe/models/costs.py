"""Count what models cost, and their bases beside them."""

from __future__ import annotations

from contextlib import suppress
from typing import Iterable, Iterator

from a2patch.probe.events import SkipCheckError
from a2patch.probe.models.build import Model
from a2patch.probe.models.context import Context
from a2patch.probe.models.flops import counted, summary, why_no_gflops
from a2patch.protocol import Cost, ModelNoted


def report_costs(context: Context, files: list[str], base: str) -> str:
    """Emit what every model that builds costs, and return why there are no GFLOPs, if there are none.

    Args:
        context: The models.
        files: Those whose costs are counted, at each of their scales.
        base: What they are compared with: it is counted at the scales that they have, for as many classes. Empty for
            none.
    """
    models = {}
    for file in files:
        with suppress(SkipCheckError):  # `build` says why it doesn't
            models[file] = {context.counted_as(file, scale): model for scale, model in context.built(file).items()}
    scales = {scale for built in models.values() for scale in built}
    known = [_report(context, base, _base_models(context, base, files[0], scales))] if base else []
    known += [_report(context, file, built.items()) for file, built in models.items()]
    return "" if all(known) else why_no_gflops()


def _report(context: Context, file: str, built: Iterable[tuple[str, Model]]) -> bool:
    """Emit what a model costs at each scale, and return whether GFLOPs are known of all."""
    known = True
    for scale, model in built:
        context.channel.trying("counting " + context.label(file, scale))
        cost = summary(model)
        known = known and cost["gflops"] is not None
        context.channel.emit(Cost(model=context.label(file), scale=scale, counted=counted(model), **cost))
    return known


def _base_models(context: Context, base: str, like: str, scales: set[str]) -> Iterator[tuple[str, Model]]:
    """Yield a base at those of some scales that it has, with as many classes as a model that is compared with it."""
    if context.is_own(base):
        yield from ((scale, model) for scale, model in context.built(base).items() if scale in scales)
        return
    usual = context.described(base).get("nc")
    classes = context.described(like).get("nc", usual)
    if classes != usual:
        note = "{} is counted for {} classes, as {} has them."
        context.channel.emit(ModelNoted(note.format(context.label(base), classes, context.label(like))))
    for scale in context.scales_of(base):
        if scale in scales:
            with suppress(Exception):  # one that doesn't build has no costs
                yield scale, context.with_classes(base, scale, classes)
