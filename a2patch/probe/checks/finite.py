"""Is every value that a model holds a number?"""

from __future__ import annotations

from typing import Any, Iterator

import torch

from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.build import Model
from a2patch.probe.models.context import Context

_SHOWN = 3
_STATISTICS = ("running_mean", "running_var")


def check_finite(context: Context) -> Finding:
    """Check that no parameter and no buffer of a model is NaN or infinite; what it computes would tell nothing."""
    total = 0
    masks: list[str] = []
    for spec in context.specs:
        label = context.label(spec.file)
        held = list(_held(context.smallest(spec.file)))
        bad = [(name, what) for name, what, mask in held if what and not mask]
        if bad:
            shown = ["{} in {}".format(what, name) for name, what in bad[:_SHOWN]]
            more = " and {} more".format(len(bad) - _SHOWN) if len(bad) > _SHOWN else ""
            return failed(
                "{} of {} tensors".format(len(bad), len(held)),
                "{} holds values that are no finite numbers: {}{}.".format(label, ", ".join(shown), more),
                ""
                if context.is_fresh(spec.file)
                else "Its training diverged: take an earlier checkpoint, or train again with a lower lr0 or amp=False.",
            )
        total += len(held)
        masks.extend("{} in {}".format(name, label) for name, what, mask in held if what and mask)
    remark = "Infinite, as a mask is: {}.".format(", ".join(masks)) if masks else ""
    return passed("{:,} tensors".format(total), remark)


def _held(model: Model) -> Iterator[tuple[str, str, bool]]:
    """Yield the name of each tensor that a model holds, what in it is not finite, and whether that may be a mask.

    A mask is a buffer that is infinite in places, so that a softmax leaves these out; NaN is never meant, nor are
    infinite statistics.
    """
    for name, parameter in model.named_parameters():
        yield name, _unfinite(parameter), False
    for name, buffer in model.named_buffers():
        what = _unfinite(buffer)
        yield name, what, what == _INFINITY and name.rpartition(".")[2] not in _STATISTICS


_INFINITY = "infinity"


def _unfinite(tensor: Any) -> str:
    """Return what in a tensor is not finite, or nothing."""
    if bool(torch.isfinite(tensor).all()):
        return ""
    return "NaN" if bool(torch.isnan(tensor).any()) else _INFINITY
