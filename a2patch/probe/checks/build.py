"""Do the models hold what their files say, at every scale?"""

from __future__ import annotations

from importlib import import_module

from a2patch.graph import repeated_keys
from a2patch.probe.events import Finding, failed, missing_library, passed
from a2patch.probe.models.asked import ignored
from a2patch.probe.models.build import Model, kind
from a2patch.probe.models.context import Context
from a2patch.probe.models.explain import Reason, explain
from a2patch.protocol import InsertRequest, ModelSpec


def check_build(context: Context) -> Finding:
    """Check that every model builds at every scale, and is what its file asks for."""
    faults: list[tuple[str, Reason]] = []
    total = 0
    for spec in context.every:
        for scale in context.scales_of(spec.file):
            total += 1
            fault = _fault(context, spec, scale)  # one that doesn't build must not hide the others
            if fault:
                faults.append((context.label(spec.file, scale), fault))
    repeated = " ".join(_repeated(context, spec) for spec in context.every).strip()
    if not faults:
        return passed("{} model{}".format(total, "" if total == 1 else "s"), repeated)
    name, reason = faults[0]
    more = " (and {} more)".format(len(faults) - 1) if len(faults) > 1 else ""
    return failed(
        "{} of {} models".format(len(faults), total),
        "{}: {}.{} {}".format(name, reason.text, more, repeated).strip(),
        _unpatched(context) or reason.advice,
    )


def _unpatched(context: Context) -> str:
    """Return what to do about a tree that lacks layers which come with a2patch and a model has; nothing if none is."""
    models = [context.described(spec.file) for spec in context.every]
    used = {str(row[2]) for model in models for part in ("backbone", "head") for row in model.get(part) or ()}
    tasks = import_module("ultralytics.nn.tasks")
    lacking = {name: how for name, how in context.request.commands if name in used and not hasattr(tasks, name)}
    needed = " and ".join("`{}`".format(command) for command in dict.fromkeys(lacking.values()))
    return "The tree does not know {}: run {} first.".format(" and ".join(lacking), needed) if lacking else ""


def _repeated(context: Context, spec: ModelSpec) -> str:
    """Return which keys stand in a model file more than once; nothing if none does."""
    keys = repeated_keys(context.text(spec.file))
    text = "In {} the key {} stands more than once, and only the last one counts."
    return text.format(context.label(spec.file), " and ".join(keys)) if keys else ""


def _fault(context: Context, spec: ModelSpec, scale: str) -> Reason | None:
    """Return what is wrong with one model, if anything is."""
    error = None
    try:
        model = context.meta_model(spec.file, scale)
    except Exception as raised:
        if missing_library(raised):
            raise
        error = raised
    found = context.mismatch(spec.file, scale) if context.is_own(spec.file) else None
    if found:
        row = context.graph(spec.file).layers[found.place]
        text = "parse_model declares {} channels for row {} ({}), and its layer gives {}: {}".format(
            found.declared, found.place, row.kind, found.given, context.branch(spec.file, scale, found.place)
        )
        return Reason(text, "Let the branch set c2 to what the layer gives, and tell the layer what c2 is.")
    if error:
        return explain(error, {**context.described(spec.file), "scale": scale})
    return _other(context, spec, scale, model)


def _other(context: Context, spec: ModelSpec, scale: str, model: Model) -> Reason | None:
    """Return in what a model that builds is another than its file asks for, if in anything."""
    built_scale = model.yaml.get("scale", scale)
    if scale and built_scale != scale:
        return Reason("asked for scale {}, got {!r}".format(scale, built_scale), "Look at how parse_model scales.")
    for layer, built in zip(context.graph(spec.file).layers, model.model):
        ours = dict(zip(context.classes, context.kinds)).get(layer.kind)
        if ours and kind(built) != ours:
            text = "row {} names {}, and {} is built".format(layer.place, layer.kind, kind(built))
            return Reason(text, "Look at the branches of parse_model for {}.".format(layer.kind))
    what = ignored(context.described(spec.file), model)
    if not what or isinstance(context.request, InsertRequest):  # where rows are put in, that is of the base
        return None
    return Reason(
        what, "Say it where this release reads it (the channels, for one, in the YAML of the data), or delete it."
    )
