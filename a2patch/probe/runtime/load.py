"""Checkpoints, loaded as the release loads them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

ALLOW = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def loader() -> Any:
    """Return the release's function that loads one checkpoint: `(model, checkpoint) = load(path)`."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    return getattr(tasks, "load_checkpoint", None) or tasks.attempt_load_one_weight


def load_allowing(path: Path) -> bool:
    """Let checkpoints load whole where the release leaves that to torch and torch no longer does.

    Returns:
        Whether that had to be forced.
    """
    if os.environ.get(ALLOW):
        return False
    try:
        loader()(str(path))
    except Exception as error:  # pickle.UnpicklingError in today's torch
        if "weights_only" not in str(error):
            raise
        os.environ[ALLOW] = "1"
        return True
    return False
