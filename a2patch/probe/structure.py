"""Do the added models hold what their files say, and nothing else than their base does?"""

from __future__ import annotations

from typing import Any

from .bench import Bench
from .channel import Outcome, SkipCheckError, failed, passed
from .models import Model, Row, count_parameters, kind, rows, scaled, why_no_gflops


def check_build(bench: Bench) -> Outcome:
    """Check that every added model builds at every scale, found by name, and differs from its base by our layers."""
    faults = []
    for spec in bench.specs:
        for scale in bench.scales:
            name = scaled(spec["file"], scale)
            try:
                fault = _compare(bench, spec, scale)
            except ModuleNotFoundError:
                raise
            except Exception as error:  # one that doesn't build must not hide the others
                fault = "{}: {}".format(type(error).__name__, " ".join(str(error).split()) or "no message")
            if fault:
                faults.append("{}: {}".format(name, fault))
    total = len(bench.specs) * len(bench.scales)
    if faults:
        more = " (and {} more)".format(len(faults) - 1) if len(faults) > 1 else ""
        return failed(
            "{} of {} models".format(len(faults), total),
            faults[0] + more,
            "Compare the model's YAML with the one that a2patch ships; every index after an inserted row moves by one.",
        )
    return passed("{} models".format(total))


def _compare(bench: Bench, spec: dict[str, Any], scale: str) -> str:
    """Return what is wrong with one model, or nothing."""
    model = bench.outline(spec["file"], scale)
    built_scale = model.yaml.get("scale", scale)
    if built_scale != scale:
        return "asked for scale {}, got {!r}".format(scale, built_scale)
    places = [i for i, layer in enumerate(model.model) if kind(layer) == spec["layer"]]
    if places != spec["places"]:
        return "{} stands at {}, expected at {}".format(spec["layer"], places or "no place", spec["places"])
    return _difference(rows(model, leave_out=bench.classes), rows(bench.outline(bench.base, scale)), bench.base)


def _difference(mine: list[Row], base: list[Row], base_file: str) -> str:
    """Return the first layer, ours not counted, that is not its base's, or nothing."""
    for i in range(min(len(mine), len(base))):
        a, b = mine[i], base[i]
        if a == b:
            continue
        told = ["{} with {:,} parameters reading {}".format(r.type, r.parameters, list(r.sources)) for r in (a, b)]
        return "our layers taken out, layer {} is {}, where that of {} is {}".format(i, told[0], base_file, told[1])
    if len(mine) != len(base):
        return "our layers taken out, it has {} layers, {} has {}".format(len(mine), base_file, len(base))
    return ""


def report_costs(bench: Bench, files: list[str]) -> str:
    """Emit what every model that builds costs, and return why there are no GFLOPs, if there are none."""
    from .models import summary  # ultralytics' counter is imported with it

    counted = True
    for file in files:
        for scale in bench.scales:
            name = scaled(file, scale)
            bench.channel.trying("counting " + name)
            try:
                cost = summary(_outline_of(bench, file, scale))
            except SkipCheckError:
                continue
            counted = counted and cost["gflops"] is not None
            bench.channel.emit("cost", model=file, scale=scale, **cost)
    return "" if counted else why_no_gflops()


def _outline_of(bench: Bench, file: str, scale: str) -> Model:
    """Return a model that was built; the base is built where no check needed it yet."""
    if file == bench.base:
        return bench.outline(file, scale)
    built = bench.built(file)
    if scale not in built:
        raise SkipCheckError(scaled(file, scale) + " doesn't build")
    return built[scale]


def check_scale(bench: Bench) -> Outcome:
    """Check that the scales differ: parameters rise from the smallest to the largest."""
    figures = []
    for spec in bench.specs:
        counts = [count_parameters(model) for model in bench.built(spec["file"]).values()]
        told = "{:.1f}M to {:.1f}M".format(counts[0] / 1e6, counts[-1] / 1e6)
        if counts != sorted(set(counts)):
            return failed(
                ", ".join("{:,}".format(n) for n in counts),
                "The scales {} of {} should rise in parameters.".format(", ".join(bench.scales), spec["file"]),
                "Look at the `scales` of the YAML, and at how parse_model scales our layers.",
            )
        figures.append(told)
    return passed("; ".join(figures))


def check_stride(bench: Bench) -> Outcome:
    """Check that the detection head reads maps of the strides 8, 16 and 32."""
    for spec in bench.specs:
        for scale, model in bench.built(spec["file"]).items():
            strides = [int(s) for s in model.stride.tolist()]
            if strides != [8, 16, 32]:
                name = scaled(spec["file"], scale)
                return failed(str(strides), "The head of {} reads maps of other strides.".format(name))
    return passed("8, 16, 32")
