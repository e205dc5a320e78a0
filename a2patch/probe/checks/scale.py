"""Do the scales of a model differ as their factors do?"""

from __future__ import annotations

from itertools import permutations

from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.build import count_parameters
from a2patch.probe.models.context import Context


def check_scale(context: Context) -> Finding:
    """Check that parameters follow the factors of the scales, and say what a name without one silently builds."""
    figures = []
    remarks = []
    silent: dict[str, list[str]] = {}  # files by the scale that they silently build
    for spec in context.specs:
        counts = {scale: count_parameters(model) for scale, model in context.built(spec.file).items()}
        label = context.label(spec.file)
        if context.is_own(spec.file) and len(counts) > 1 and len(set(counts.values())) == 1:
            # as upstream's own on a backbone of torchvision are
            remarks.append("The scales of {} are all alike: none of its layers takes a width from them.".format(label))
        else:
            fault = _against_factors(counts, _factors(context, spec.file))
            if fault:
                figure = ", ".join("{} {:,}".format(scale, count) for scale, count in counts.items())
                advice = "Look at the `scales` of the YAML, and at how parse_model scales the layers."
                return failed(figure, "In {} {}.".format(label, fault), advice)
        smallest, largest = min(counts.values()), max(counts.values())
        figures.append(
            "{:.1f}M".format(smallest / 1e6) + (" to {:.1f}M".format(largest / 1e6) if len(counts) > 1 else "")
        )
        default = _silent(context, spec.file) if context.unscaled(spec.file) else ""
        if default:
            silent.setdefault(default, []).append(label)
    for scale, names in silent.items():
        remarks.append("A name without a scale letter silently builds scale {}: {}.".format(scale, ", ".join(names)))
    return passed("; ".join(figures), " ".join(remarks))


def _factors(context: Context, file: str) -> dict[str, tuple[float, ...]]:
    """Return the factors of each scale: depth, width and the most channels.

    The order of the scales is their author's, and the first is what a name without one builds. Before 8.0.55 there is a
    file for each scale, and their letters tell which is larger.
    """
    described = context.described(file).get("scales")
    if not isinstance(described, dict):
        return {scale: (float(place),) for place, scale in enumerate(context.scales_of(file))}
    return {
        str(scale): tuple(float(x) for x in factors)
        for scale, factors in described.items()
        if isinstance(factors, (list, tuple)) and all(isinstance(x, (int, float)) for x in factors)
    }


def _against_factors(counts: dict[str, int], factors: dict[str, tuple[float, ...]]) -> str:
    """Return two scales whose parameters do not follow their factors, as a sentence without a full stop; or nothing."""
    known = [scale for scale in counts if scale in factors]
    for one, other in permutations(known, 2):
        smaller, larger = factors[one], factors[other]
        if len(smaller) != len(larger) or any(a > b for a, b in zip(smaller, larger)):
            continue
        fewer = counts[one] < counts[other] or (counts[one] == counts[other] and smaller[:2] == larger[:2])
        if not fewer and (smaller != larger or counts[one] != counts[other]):
            return "scale {} has {:,} parameters and {}, whose factors are no smaller, {:,}".format(
                one, counts[one], other, counts[other]
            )
    return ""


def _silent(context: Context, file: str) -> str:
    """Return the scale that is built where nothing says which; nothing where that doesn't build."""
    try:
        count = count_parameters(context.meta_model(file, ""))
    except Exception:  # why it doesn't is for the check on building to say
        return ""
    return next(
        (s for s, model in context.built(file).items() if count_parameters(model) == count), "of none of its own"
    )
