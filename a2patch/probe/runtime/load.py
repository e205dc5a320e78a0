"""Checkpoints, loaded as the release loads them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, Callable

ALLOW = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
"""The variable by which torch is told to load checkpoints whole where the release does not say."""


def load_model(path: Path) -> Any:
    """Return the model of a checkpoint that is trusted or ours, in single precision, as the release loads it."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    load = getattr(tasks, "load_checkpoint", None) or tasks.attempt_load_one_weight
    return allowing(load, path)[0].float()


def allowing(load: Callable[[str], Any], path: Path) -> Any:
    """Load a file, and let this process load checkpoints whole where the release leaves that to torch.

    torch 2.6 made loading restricted by default, which releases before that do not ask torch to change. Where it had
    to be changed, the variable `ALLOW` is set afterwards.

    Args:
        load: What loads a file by its path.
        path: The file.
    """
    try:
        return load(str(path))
    except Exception as error:  # pickle.UnpicklingError in today's torch
        if "weights_only" not in str(error) or os.environ.get(ALLOW):
            raise
        os.environ[ALLOW] = "1"
    return load(str(path))
