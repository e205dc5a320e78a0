"""The files of a transplant: the weights of a bare state dict, and a checkpoint written as upstream writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from a2patch.probe.models.build import Model
from a2patch.probe.models.checkpoint import read_state_dict
from a2patch.probe.runtime.declined import DeclinedError

# What a run of training leaves behind; upstream's `strip_optimizer` empties the same when training is over.
_OF_A_RUN = ("optimizer", "best_fitness", "stopper", "ema", "updates", "scaler")


def read_weights(path: Path, trusted: bool) -> dict[str, Any]:
    """Read a bare state dict, its names as those of an ultralytics model, `model.0.conv.weight`.

    Raises:
        DeclinedError: It needs trust that it was not given, or holds no such state dict.
    """
    weights = {str(name): tensor for name, tensor in read_state_dict(path, trusted).items()}
    while not any(name.startswith("model.0.") for name in weights):  # that of a wrapper has one name more in front
        fronts = {name.partition(".")[0] for name in weights}
        if len(fronts) != 1 or not all("." in name for name in weights):
            raise DeclinedError(
                "holds no state dict of an ultralytics model",
                "its names begin " + sorted(weights)[0],
                "Name a file whose names are those of an ultralytics model, `model.0.conv.weight` the first of them.",
            )
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
