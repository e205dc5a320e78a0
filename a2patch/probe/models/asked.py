"""What a model file asks for and what is built: a release ignores silently what it does not know, or overrules."""

from __future__ import annotations

import re
from typing import Any

from a2patch.probe.models.build import Model
from a2patch.probe.models.images import input_channels

_CALL = re.compile(r"\s*(?:\w+\.)*(\w+)\s*\(")


def ignored(description: dict[str, Any], model: Model) -> str:
    """Return what a file asks for and this release does not build, in a sentence without its full stop; or nothing.

    Args:
        description: What the file says.
        model: What was built of it.
    """
    for key, built in _built(description, model).items():
        asked = description[key]
        if built is None:
            return "{}: {} is asked for, and this release knows no such key".format(key, asked)
        if _plain(built) != _plain(asked):
            return "{}: {} is asked for, and this release builds {}".format(key, asked, built)
    return ""


def _built(description: dict[str, Any], model: Model) -> dict[str, Any]:
    """Return what was built for each key of a file that says what the model is to be."""
    head = model.model[-1]
    built: dict[str, Any] = {key: input_channels(model) for key in ("channels", "ch") if description.get(key)}
    if description.get("nc") is not None:
        built["nc"] = _classes(head, description["nc"])
    for key in ("kpt_shape", "reg_max"):
        if description.get(key) is not None:
            built[key] = getattr(head, key, None)
    call = _CALL.match(str(description.get("activation") or ""))
    if call:
        found = any(type(module).__name__ == call.group(1) for module in model.modules())
        built["activation"] = description["activation"] if found else None
    return built


def _classes(head: Any, asked: Any) -> Any:
    """Return how many classes a head tells apart; what was asked for where it does not say."""
    linear = getattr(head, "linear", None)
    return getattr(head, "nc", getattr(linear, "out_features", asked))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
