"""Does the head read maps of the strides that it should?"""

from __future__ import annotations

from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.context import Context


def check_stride(context: Context) -> Finding:
    """Check that the head reads maps of the strides 8, 16 and 32, or in a model of the user's own of rising ones."""
    figures = []
    for spec in context.every:
        for scale, model in context.built(spec.file).items():
            strides = [int(s) for s in getattr(model, "stride", [])]
            wrong = strides != sorted(set(strides)) if context.is_own(spec.file) else strides != [8, 16, 32]
            if wrong:
                name = context.label(spec.file, scale)
                return failed(str(strides), "The head of {} reads maps of other strides.".format(name))
        figures.append(", ".join(map(str, strides)))
    return passed("; ".join(dict.fromkeys(figures)))
