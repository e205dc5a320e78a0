"""A checkpoint that holds a whole model: what it holds, read no further than it is trusted."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch

from a2patch.probe.events import last_line
from a2patch.probe.models.build import Model, without_downloads
from a2patch.probe.models.evaluated import refuse_code
from a2patch.probe.models.images import input_channels
from a2patch.probe.models.meta import Mode, Valueless
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.load import admit, load_model, load_plainly, load_stored
from a2patch.protocol import command_line

# The keys that state dicts are saved under, the likelier first; then any other.
_WRAPPERS = ("ema", "state_dict", "model_state_dict", "model", "weights", "net")
_SHOWN = 4

_SAVED = "Name a checkpoint that ultralytics saved."


class Checkpoint(NamedTuple):
    """A checkpoint that holds a whole model.

    Attributes:
        model: The model that upstream takes from it, in single precision and ready to be run.
        attributes: What the model object holds besides its modules, by name.
        stored: Everything that the file holds, by name.
        weights: Where the model stood: `ema`, `model`, or `state dict`.
        dtype: The type that its weights are stored in.
    """

    model: Model
    attributes: Dict[str, Any]
    stored: Dict[str, Any]
    weights: str
    dtype: Any


def read_whole(path: Path, trusted: bool) -> Checkpoint:
    """Read a checkpoint that holds a whole model.

    Args:
        path: The file.
        trusted: Whether it may run any code.

    Raises:
        DeclinedError: It is something else, needs trust that it was not given, or holds no such model.
    """
    stored = _unpickled(path, trusted)
    weights = "ema" if stored.get("ema") is not None else "model"
    model = stored.get(weights)
    if not isinstance(model, torch.nn.Module):
        raise _without_model(path, stored)
    if stored.get("modelopt"):
        raise DeclinedError("holds a quantised model", "it was quantised by modelopt", "Name the one it was made from.")
    if not isinstance(getattr(model, "yaml", None), dict) or not hasattr(getattr(model, "model", None), "__getitem__"):
        raise DeclinedError(
            "holds no model that ultralytics builds from a YAML file", "its class is " + _kind(model), _SAVED
        )
    refuse_code(model.yaml, "", trusted)
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    attributes = dict(vars(model))
    try:
        loaded = load_model(path).eval()  # upstream puts the arguments of the run in the place of the model's own
    except Exception as error:  # a release may stumble over what another saved
        raise DeclinedError(
            "can't be loaded by this release", last_line(error), "Use the release that saved it."
        ) from error
    return Checkpoint(loaded, {**vars(loaded), **attributes}, stored, weights, dtype)


def read_state_dict(path: Path, trusted: bool) -> Dict[str, Any]:
    """Read the state dict of a file, whatever key it stands under.

    Args:
        path: The file.
        trusted: Whether it may run any code.

    Raises:
        DeclinedError: It is something else, needs trust that it was not given, or holds no state dict.
    """
    admit(path, trusted)
    stored = load_plainly(str(path))
    _, found = state_dict_in(stored)
    if found:
        return found
    model = _model_in(stored)
    if model is not None:
        raise DeclinedError(
            "holds a whole model, not a state dict",
            "its class is " + _kind(model),
            "Leave out --from-state-dict and --base.",
        )
    raise DeclinedError("holds no state dict", _contents(stored), "Name a file of weights, saved by their names.")


def state_dict_in(stored: Any, depth: int = 4) -> Tuple[str, Dict[str, Any]]:
    """Return the first state dict in what a file holds, with the keys that lead to it, joined by points.

    Args:
        stored: What the file holds.
        depth: In how many dicts inside each other to look.
    """
    if not isinstance(stored, dict) or not depth:
        return "", {}
    if _is_state_dict(stored):
        return "", stored
    keys = [key for key in _WRAPPERS if key in stored] + [key for key in stored if key not in _WRAPPERS]
    for key in keys:
        if "optim" not in str(key):
            inner, found = state_dict_in(stored[key], depth - 1)
            if found:
                return ".".join(filter(None, (str(key), inner))), found
    return "", {}


def unlike_its_description(model: Model) -> str:
    """Return how the tensors of a model differ from those that its own description builds; empty where they do not.

    What another release builds otherwise has other names, or is in the head. Where only shapes differ before the head,
    or the batch norms are gone, the model itself was changed.
    """
    described: Optional[Dict[str, Any]] = None
    with suppress(Exception), Valueless() if Mode is not object else nullcontext():
        # A description that does not build is for the check on building to say.
        start = {"ch": input_channels(model), "nc": model.yaml.get("nc"), "verbose": False}
        described = type(model)(without_downloads(deepcopy(model.yaml)), **start).state_dict()
    if described is None:
        return ""
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    built = {name: tuple(value.shape) for name, value in described.items()}
    if not any(".bn." in name for name in own) and any(".bn." in name for name in built):
        return "is fused: its batch norms are folded into its convolutions"
    other = [name for name in own if own[name] != built.get(name)]
    head = "model.{}.".format(len(model.model) - 1)
    if own.keys() != built.keys() or all(name.startswith(head) for name in other):
        return ""
    return (
        "is pruned: {} of its {} tensors have other shapes than its description builds, {} first ({}, not {})".format(
            len(other), len(own), other[0], _shape(own[other[0]]), _shape(built[other[0]])
        )
    )


def _unpickled(path: Path, trusted: bool) -> Dict[str, Any]:
    """Return what a checkpoint holds by name."""
    admit(path, trusted)
    if path.suffix != ".pt":
        raise DeclinedError(
            "is a checkpoint, and upstream loads those by the name .pt", remedy="Rename it: {}.pt".format(path.stem)
        )
    try:
        stored = load_stored(path)
    except AttributeError as error:  # upstream looks for a model in what is no dict
        raise DeclinedError("holds no model", last_line(error), _SAVED) from error
    except Exception as error:  # what upstream raises depends on the file
        raise DeclinedError("can't be loaded", last_line(error), "Use the release that saved it.") from error
    return stored if isinstance(stored, dict) else {}


def _without_model(path: Path, stored: Dict[str, Any]) -> DeclinedError:
    """Return the error of a checkpoint without a whole model."""
    place, found = state_dict_in(stored)
    if not found:
        return DeclinedError("holds no model", _contents(stored), _SAVED)
    remedy = (
        "It is weights alone: `a2patch transplant {} --from-state-dict --base yolov8n.yaml --model …`, with the model "
        "that it is of as the base, makes a whole checkpoint.".format(command_line([path.name]))
    )
    return DeclinedError(
        "holds no whole model, but a state dict", "it stands under {}".format(place) if place else "", remedy
    )


def _model_in(stored: Any) -> Any:
    """Return the model in what a file holds; None if there is none."""
    held = list(stored.values()) if isinstance(stored, dict) else [stored]
    return next((value for value in held if isinstance(value, torch.nn.Module)), None)


def _is_state_dict(value: Dict[Any, Any]) -> bool:
    return bool(value) and all(torch.is_tensor(tensor) and isinstance(name, str) for name, tensor in value.items())


def _contents(stored: Any) -> str:
    """Return what a file holds, in a few words."""
    if not isinstance(stored, dict):
        return "it holds one " + _kind(stored)
    return "it holds " + (", ".join(map(str, list(stored)[:_SHOWN])) or "nothing")


def _kind(value: Any) -> str:
    return "{}.{}".format(type(value).__module__, type(value).__qualname__)


def _shape(shape: Tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a number"
