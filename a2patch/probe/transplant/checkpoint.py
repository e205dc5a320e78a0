"""A checkpoint as a file: what it holds, read no further than it is trusted, and written as upstream writes it."""

from __future__ import annotations

import importlib
import inspect
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import torch

from a2patch.probe.events import last_line
from a2patch.probe.models.build import Model
from a2patch.probe.runtime.load import allowing, load_model

# What a run of training leaves behind; upstream's `strip_optimizer` empties the same when training is over.
_OF_A_RUN = ("optimizer", "best_fitness", "stopper", "ema", "updates", "scaler")
# A state dict may be saved as it is, or under one of these.
_WRAPPERS = ("state_dict", "model", "ema")

_TRUST = "If you trust where it comes from, --trust loads it whole, as `yolo` does; that can run any code in it."


class DeclinedError(Exception):
    """What is asked for can't be done, and its user can do something about it.

    Attributes:
        found: What stands there.
        remedy: What to do next.
        unpatched: Whether it is the tree that lacks our layers.
    """

    def __init__(self, message: str, found: str = "", remedy: str = "", unpatched: bool = False) -> None:
        super().__init__(message)
        self.found = found
        self.remedy = remedy
        self.unpatched = unpatched


class Checkpoint(NamedTuple):
    """A checkpoint that was read.

    Attributes:
        model: The model that upstream takes from it, in single precision and ready to be run.
        attributes: What the model object holds besides its modules, by name.
        stored: Everything that the file holds, by name.
        weights: Where the model stood: `ema`, `model`, or `state dict`.
        dtype: The type that its weights are stored in.
    """

    model: Model
    attributes: dict[str, Any]
    stored: dict[str, Any]
    weights: str
    dtype: Any


def read(path: Path, trusted: bool) -> Checkpoint:
    """Read a checkpoint that holds a whole model.

    Args:
        path: The file.
        trusted: Whether it may be unpickled without restriction, which can run any code in it.

    Raises:
        RefusedError: It needs trust that it was not given, or holds no model.
    """
    if not zipfile.is_zipfile(path):
        raise DeclinedError("is no checkpoint: torch saves files of another form", remedy="Name a .pt file of a model.")
    tasks = importlib.import_module("ultralytics.nn.tasks")
    if not trusted:
        _restrict(tasks)
    try:
        stored = allowing(tasks.torch_safe_load, path)[0] if trusted else tasks.torch_safe_load(str(path))[0]
    except Exception as error:  # what an unpickler raises depends on the bytes
        unpatched = "double_attention" in str(error)
        raise DeclinedError("can't be loaded", last_line(error), "" if trusted else _TRUST, unpatched) from error
    stored = stored if isinstance(stored, dict) else {}
    weights = "ema" if stored.get("ema") else "model"
    model = stored.get(weights)
    if not isinstance(model, torch.nn.Module):
        raise DeclinedError(
            "holds no whole model",
            remedy="If it is a bare state dict, name the model that it is of: --from-state-dict --base yolov8n.yaml",
        )
    if stored.get("modelopt"):
        raise DeclinedError("is of a model that is being quantised", remedy="Transplant the one that it was made from.")
    if not hasattr(model, "yaml") or not hasattr(model.model, "__getitem__"):
        raise DeclinedError("holds no model that ultralytics builds from a YAML file", type(model).__name__)
    dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
    loaded = load_model(path).eval()  # upstream puts the arguments of the run in the place of the model's own
    return Checkpoint(loaded, {**vars(loaded), **vars(model)}, stored, weights, dtype)


def read_weights(path: Path, trusted: bool) -> dict[str, Any]:
    """Read a bare state dict, its names as those of an ultralytics model, `model.0.conv.weight`.

    Raises:
        RefusedError: It needs trust that it was not given, or holds no state dict.
    """
    tensors_only = {"weights_only": not trusted} if "weights_only" in inspect.signature(torch.load).parameters else {}
    if not tensors_only and not trusted:  # torch < 1.13
        raise DeclinedError("can't be loaded with restrictions", "torch {}".format(torch.__version__), _TRUST)
    try:
        stored = torch.load(str(path), map_location="cpu", **tensors_only)
    except Exception as error:  # what an unpickler raises depends on the bytes
        raise DeclinedError("can't be loaded", last_line(error), "" if trusted else _TRUST) from error
    for wrapper in _WRAPPERS:
        if isinstance(stored, dict) and isinstance(stored.get(wrapper), dict):
            stored = stored[wrapper]
    if not isinstance(stored, dict) or not stored or not all(torch.is_tensor(v) for v in stored.values()):
        remedy = "Leave out --from-state-dict for a checkpoint of ultralytics."
        raise DeclinedError("holds no state dict", remedy=remedy)
    weights = {str(name): tensor for name, tensor in stored.items()}
    while not any(name.startswith("model.0.") for name in weights):  # that of a wrapper has one name more in front
        fronts = {name.partition(".")[0] for name in weights}
        if len(fronts) != 1 or not all("." in name for name in weights):
            raise DeclinedError("holds no state dict of an ultralytics model", "its names begin " + sorted(weights)[0])
        weights = {name.partition(".")[2]: tensor for name, tensor in weights.items()}
    return weights


def write(path: Path, model: Model, stored: dict[str, Any], dtype: Any) -> list[str]:
    """Write a checkpoint as upstream leaves one when training is over.

    Args:
        path: The file.
        model: Its model; it is brought to `dtype`.
        stored: What the file that it is made from held.
        dtype: The type to store weights in.

    Returns:
        What of `stored` is dropped.
    """
    from ultralytics import __version__

    model.to(dtype)
    for parameter in model.parameters():
        parameter.requires_grad = False
    dropped = [name for name in _OF_A_RUN if stored.get(name) is not None and name != "ema"]
    kept = {"train_args": {}, "version": __version__, **stored}
    torch.save({**kept, **dict.fromkeys(_OF_A_RUN), "epoch": -1, "model": model}, path)
    return dropped


def _restrict(tasks: Any) -> None:
    """Let this process load nothing but models of known classes.

    Raises:
        RefusedError: The release or its torch can't; what older releases call `safe_only` gives stand-ins for models.
    """
    if not getattr(getattr(tasks, "_SafeLoad", None), "SUPPORTED", False):
        raise DeclinedError(
            "can't be loaded with restrictions, which this release of ultralytics or its torch does not know",
            "torch {}".format(torch.__version__),
            _TRUST,
        )
    tasks.SAFE_LOAD = True
