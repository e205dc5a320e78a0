"""Count what models cost."""

from __future__ import annotations

from a2patch.probe.events import SkipCheckError
from a2patch.probe.models.build import Model
from a2patch.probe.models.context import Context
from a2patch.probe.models.flops import counted, summary, why_no_gflops
from a2patch.protocol import Cost


def report_costs(context: Context, files: list[str]) -> str:
    """Emit what every model that builds costs, and return why there are no GFLOPs, if there are none."""
    known = True
    # An untouched package has none of the added models: all scales of its base are counted then.
    there = [spec.file for spec in context.specs if context.is_own(spec.file) or context.text(spec.file)]
    wanted = {scale for file in there for scale in context.scales_of(file)}
    for file in files:
        for scale in context.scales_of(file):
            if wanted and scale not in wanted:
                continue
            context.channel.trying("counting " + context.label(file, scale))
            try:
                model = _meta_model_of(context, file, scale)
            except SkipCheckError:
                continue
            cost = summary(model)
            known = known and cost["gflops"] is not None
            context.channel.emit(Cost(model=context.label(file), scale=scale, counted=counted(model), **cost))
    return "" if known else why_no_gflops()


def _meta_model_of(context: Context, file: str, scale: str) -> Model:
    """Return a model that was built; a base is built where no check needed it yet."""
    if file not in {spec.file for spec in context.specs}:
        return context.meta_model(file, scale)
    built = context.built(file)
    if scale not in built:
        raise SkipCheckError(context.label(file, scale) + " doesn't build")
    return built[scale]
