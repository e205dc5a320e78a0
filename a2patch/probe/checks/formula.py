"""Does the new layer compute its formula?"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Callable

import torch

from a2patch.probe.checks import lookalike
from a2patch.probe.checks.rows import added_class, forms, used
from a2patch.probe.events import Finding, SkipCheckError, failed, passed
from a2patch.probe.models.context import Context
from a2patch.protocol import Form

WORST = 1e-10  # of the largest value; float64 leaves about 1e-15


def check_formula(context: Context) -> Finding:
    """Check the values of the classes against the formula, written position by position in float64."""
    source = context.request.block.reference
    if not source:
        return _resembled(context)
    reference = _reference(source)
    worst = 0.0
    for form in forms(context):
        layer_class = used(context, form.name)
        try:
            error = _error(layer_class, form, reference)
        except Exception as raised:
            if layer_class is added_class(context, form.name):
                raise
            raise SkipCheckError("parse_model uses another class of that name, which is none of this form") from raised
        if error > WORST:
            unlike = context.request.block.unlike or (
                "{} doesn't compute its formula.".format(form.name),
                "Compare its forward with its reference.py, step by step: the axis of each softmax, mean and norm.",
            )
            return failed("off by {:.1e}".format(error), *unlike)
        worst = max(worst, error)
    return passed("within {:.0e}".format(max(worst, 1e-16)))


def _resembled(context: Context) -> Finding:
    """Check the axes of what looks like double attention, where there is no formula.

    Raises:
        SkipCheckError: Nothing does.
    """
    findings = []
    for form in forms(context):
        torch.manual_seed(0)
        layer = used(context, form.name)(*form.args).double().eval()
        if lookalike.resembles(layer):
            findings.append(lookalike.compare(layer, form.channels))
    if not findings:
        raise SkipCheckError("the block brings no formula to compare with (reference.py)")
    return next((found for found in findings if found.result == "fail"), findings[0])


def _reference(source: str) -> Callable[[Any, Any], Any]:
    """Return the function that computes the formula."""
    module = ModuleType("a2patch_reference")
    sys.modules[module.__name__] = module  # where its dataclasses look themselves up
    exec(compile(source, "reference.py", "exec"), module.__dict__)
    function: Callable[[Any, Any], Any] = module.reference
    return function


def _error(layer_class: Any, form: Form, reference: Callable[[Any, Any], Any]) -> float:
    """Return how far what a layer gives is from the formula, relative to the largest value."""
    torch.manual_seed(0)
    layer = layer_class(*form.args).double().eval()
    x = torch.randn(2, form.channels, 4, 3, dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
        expected = _expected(layer, x, reference)
        return float((layer(x) - expected).abs().max() / expected.abs().max())


def _expected(layer: Any, x: Any, reference: Callable[[Any, Any], Any]) -> Any:
    """Return what a layer is to give; a twin behind a gate its input, and what the gate lets through of the rest."""
    if type(layer).__name__.startswith("Gated") and hasattr(layer, "gate") and hasattr(layer, "block"):
        return x + layer.gate * (reference(layer.block, x) - x)
    return reference(layer, x)
