"""Do the models hold what their files say, at every scale?"""

from __future__ import annotations

from importlib import import_module

from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.build import Model, count_parameters, kind
from a2patch.probe.models.context import Context
from a2patch.probe.models.flops import counted, summary, why_no_gflops
from a2patch.protocol import Cost, ModelSpec


def check_build(context: Context) -> Finding:
    """Check that every model builds at every scale, and that our layers stand in it where they should."""
    faults = []
    total = 0
    for spec in context.specs:
        for scale in context.scales_of(spec.file):
            name = context.label(spec.file, scale)
            total += 1
            try:
                fault = _misplaced(context, spec, scale)
            except ModuleNotFoundError:
                raise
            except Exception as error:  # one that doesn't build must not hide the others
                fault = "{}: {}".format(type(error).__name__, " ".join(str(error).split()) or "no message")
            if fault:
                faults.append("{}: {}".format(name, fault))
    if faults:
        more = " (and {} more)".format(len(faults) - 1) if len(faults) > 1 else ""
        return failed(
            "{} of {} models".format(len(faults), total),
            faults[0] + more,
            _unpatched(context) or "Look at the spelling of the row, its arguments, and the channels of what it reads.",
        )
    return passed("{} model{}".format(total, "" if total == 1 else "s"))


def _unpatched(context: Context) -> str:
    """Return what to do about a tree that does not know layers of ours which a model has; nothing if it knows them."""
    models = [context.described(spec.file) for spec in context.specs]
    used = {str(row[2]) for model in models for part in ("backbone", "head") for row in model.get(part) or ()}
    tasks = import_module("ultralytics.nn.tasks")
    unknown = [name for name in context.classes if name in used and not hasattr(tasks, name)]
    return "The tree does not know {}: run `a2patch apply` first.".format(" and ".join(unknown)) if unknown else ""


def _misplaced(context: Context, spec: ModelSpec, scale: str) -> str:
    """Return what is wrong with one model, or nothing."""
    model = context.meta_model(spec.file, scale)
    built_scale = model.yaml.get("scale", scale)
    if scale and built_scale != scale:
        return "asked for scale {}, got {!r}".format(scale, built_scale)
    places = [i for i, layer in enumerate(model.model) if kind(layer) == spec.layer]
    if spec.layer and places != list(spec.places):
        return "{} stands at {}, expected at {}".format(spec.layer, places or "no place", list(spec.places))
    return ""


def report_costs(context: Context, files: list[str]) -> str:
    """Emit what every model that builds costs, and return why there are no GFLOPs, if there are none."""
    known = True
    wanted = {scale for spec in context.specs for scale in context.scales_of(spec.file)}
    for file in files:
        for scale in context.scales_of(file):
            if scale not in wanted:
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


def check_scale(context: Context) -> Finding:
    """Check that the scales differ, and say what a name without one silently builds: parameters rise to the largest."""
    figures = []
    remarks = []
    silent: dict[str, list[str]] = {}  # files by the scale that they silently build
    for spec in context.specs:
        counts = [count_parameters(model) for model in context.built(spec.file).values()]
        label = context.label(spec.file)
        fixed = context.is_own(spec.file) and len(counts) > 1 and len(set(counts)) == 1
        if fixed:  # as upstream's own on a backbone of torchvision are
            remarks.append("The scales of {} are all alike: none of its layers takes a width from them.".format(label))
        elif len(counts) > 1 and counts != sorted(set(counts)):
            return failed(
                ", ".join("{:,}".format(n) for n in counts),
                "The scales {} of {} should rise in parameters.".format(", ".join(context.scales_of(spec.file)), label),
                "Look at the `scales` of the YAML, and at how parse_model scales the layers.",
            )
        figures.append(
            "{:.1f}M".format(counts[0] / 1e6) + (" to {:.1f}M".format(counts[-1] / 1e6) if counts[1:] else "")
        )
        default = _silent(context, spec.file) if context.unscaled(spec.file) else ""
        if default:
            silent.setdefault(default, []).append(label)
    for scale, names in silent.items():
        remarks.append("A name without a scale letter silently builds scale {}: {}.".format(scale, ", ".join(names)))
    return passed("; ".join(figures), " ".join(remarks))


def _silent(context: Context, file: str) -> str:
    """Return the scale that is built where nothing says which; nothing where that doesn't build."""
    try:
        count = count_parameters(context.meta_model(file, ""))
    except Exception:  # why it doesn't is for the check on building to say
        return ""
    return next(
        (s for s, model in context.built(file).items() if count_parameters(model) == count), "of none of its own"
    )


def check_stride(context: Context) -> Finding:
    """Check that the head reads maps of the strides 8, 16 and 32, or in a model of the user's own of rising ones."""
    figures = []
    for spec in context.specs:
        for scale, model in context.built(spec.file).items():
            strides = [int(s) for s in getattr(model, "stride", [])]
            wrong = strides != sorted(set(strides)) if context.is_own(spec.file) else strides != [8, 16, 32]
            if wrong:
                name = context.label(spec.file, scale)
                return failed(str(strides), "The head of {} reads maps of other strides.".format(name))
        figures.append(", ".join(map(str, strides)))
    return passed("; ".join(dict.fromkeys(figures)))
