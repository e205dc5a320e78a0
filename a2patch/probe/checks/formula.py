"""Does the new layer compute its formula?"""

from __future__ import annotations

import importlib.util
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
    path = context.request.block.reference
    if not path:
        return _resembled(context)
    reference = _reference(path)
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
                "Compare its forward with {}, step by step: the axis of each softmax, mean and norm.".format(path),
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


def _reference(path: str) -> Callable[[Any, Any], Any]:
    """Return the function that computes the formula, from its file."""
    spec = importlib.util.spec_from_file_location("a2patch_reference", path)
    if spec is None or spec.loader is None:
        raise SkipCheckError("{} is no Python file".format(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
        expected = reference(layer, x)
        return float((layer(x) - expected).abs().max() / expected.abs().max())
