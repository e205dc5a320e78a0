"""The model that a name asks for, at the scale and with the classes of a checkpoint."""

from __future__ import annotations

import importlib
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from a2patch.probe.events import last_line
from a2patch.probe.models.evaluated import DEFAULT_ACTIVATION, refuse_code, same_activation
from a2patch.probe.runtime.declined import DeclinedError

# What fine-tuning itself changes in the description of a model: classes, key points, and channels of the images.
_OF_THE_DATA = ("nc", "kpt_shape", "channels", "ch")


def describe(name: str, base: dict[str, Any], scale: str, trusted: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the description of a model with what the data ask for as a checkpoint has it.

    Args:
        name: The model file, as `YOLO` takes it.
        base: The description that the checkpoint holds.
        scale: The scale that its user asks for; empty for that of the checkpoint.
        trusted: Whether building the model may run code that its file holds.

    Returns:
        The description, and what to tell of it: its `model`, `scale`, and what `scale_by` was chosen.

    Raises:
        DeclinedError: There is no such model, the tree lacks layers that it names, or its scale is another.
    """
    described = _found(name, trusted)
    scales = described.get("scales") or {}
    known = _scale_of(base, scales)
    named = str(described.get("scale") or "")
    chosen, by = next(
        (pair for pair in ((scale, "--scale"), (named, "its name"), (known, "the checkpoint")) if pair[0]), ("", "")
    )
    if scales and chosen not in scales:
        raise DeclinedError(
            "does not say of which scale it is" if not chosen else "is of a scale that the model does not have",
            "{} has the scales {}".format(name, ", ".join(scales)),
            "Name one with --scale.",
        )
    if scales and known and chosen != known:
        raise DeclinedError(
            "is of scale {}, and {} asks for {}".format(known, by, chosen),
            remedy="Name the model without a scale letter, or with this one.",
        )
    described.update({key: deepcopy(base[key]) for key in _OF_THE_DATA if key in base})
    _refuse_other_activation(name, described, base)
    described["scale"] = chosen if scales else ""
    return described, {"model": name, "scale": described["scale"], "scale_by": by if scales else ""}


def _refuse_other_activation(name: str, described: dict[str, Any], base: dict[str, Any]) -> None:
    """Raise where a model has another activation than the checkpoint, since all of its outputs would be others."""
    ours, theirs = (str(each.get("activation") or "") for each in (described, base))
    if not same_activation(ours, theirs):
        raise DeclinedError(
            "and the model have different activations",
            "the checkpoint has {}, {} has {}".format(_activation_text(theirs), name, _activation_text(ours)),
            "Write `activation: {}` into a copy of {}, and name that.".format(theirs or DEFAULT_ACTIVATION, name),
        )


def _activation_text(activation: str) -> str:
    return "`activation: {}`".format(activation) if activation else "none, which is " + DEFAULT_ACTIVATION


def base_description(name: str, scale: str, trusted: bool) -> dict[str, Any]:
    """Return the description of the model that a bare state dict is of.

    Raises:
        DeclinedError: There is no such model, or nothing says its scale.
    """
    described = _found(name, trusted)
    described["scale"] = scale or described.get("scale") or ""
    scales = described.get("scales") or {}
    if scales and described["scale"] not in scales:
        raise DeclinedError(
            "does not say of which scale it is",
            "{} has the scales {}".format(name, ", ".join(scales)),
            "Name one with --scale, or by the letter in --base.",
        )
    return described


def class_count(weights: dict[str, Any], described: dict[str, Any]) -> int:
    """Return how many classes a state dict is for, by what its head puts out; else what the description says."""
    head = len(described["backbone"]) + len(described["head"]) - 1
    last = re.compile(r"model\.{}\.(cv3\.0\.\d+|linear|dec_score_head\.0)\.bias$".format(head))
    found = sorted(name for name in weights if last.match(name))
    return len(weights[found[-1]]) if found else int(described["nc"])


def _found(name: str, trusted: bool) -> dict[str, Any]:
    """Return what a model file says, found as `YOLO` finds it.

    Raises:
        DeclinedError: There is none, or it names layers that the tree does not know.
    """
    tasks = importlib.import_module("ultralytics.nn.tasks")
    try:
        described = dict(tasks.yaml_model_load(name))
        kinds = [str(row[2]) for part in ("backbone", "head") for row in described[part]]
    except Exception as error:  # a file of the user's own may be anything
        raise DeclinedError(
            "can't go into {}, which is no model file".format(name),
            last_line(error),
            "Name a model as `YOLO` takes it; `a2patch status` lists those that a2patch put into the tree.",
        ) from error
    file = Path(str(described.get("yaml_file", "")))  # upstream notes it there
    try:
        refuse_code(described, file.read_text("utf-8", "ignore") if file.is_file() else "", trusted)
    except DeclinedError as error:
        raise DeclinedError("can't go into {}, which {}".format(name, error), error.found, error.remedy) from error
    unknown = sorted({k for k in kinds if "." not in k and not hasattr(tasks, k)})
    if unknown:
        raise DeclinedError(
            "can't go into {}: this tree has no {}".format(name, ", ".join(unknown)),
            lacking=unknown,
        )
    return described


def _scale_of(base: dict[str, Any], scales: dict[str, Any]) -> str:
    """Return the scale of a checkpoint; the first releases saved its multiples, not its letter."""
    letter = str(base.get("scale") or "") or next(iter(base.get("scales") or ()), "")
    if letter:
        return letter
    multiples = [base.get("depth_multiple"), base.get("width_multiple")]
    return next((letter for letter, values in scales.items() if list(values[:2]) == multiples), "")
